"""Goes beside the notebooks that nbval runs again: progress and start-up messages on stderr are not compared."""


def pytest_collection_modifyitems(items):
    for notebook in {item.parent for item in items}:
        notebook.skip_compare += ("stderr",)
