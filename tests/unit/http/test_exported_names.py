import importlib
import pkgutil

import tonnage.http


def test_all_names_the_public_words_in_order():
    """What `__all__` lists is what the public modules offer to callers, sorted."""
    offered = set()
    for module in pkgutil.iter_modules(tonnage.http.__path__):
        if not module.name.startswith("_"):
            offered |= set(importlib.import_module(f"tonnage.http.{module.name}").__all__)
    assert set(tonnage.http.__all__) == {name for name in offered if not name.isupper()}
    assert sorted(tonnage.http.__all__) == tonnage.http.__all__
