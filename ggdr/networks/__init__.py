"""Network families, one folder or file each: settings that cost no import in `__init__.py`, modules beside them."""
