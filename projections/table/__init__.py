"""The machinery of row tables: columns, lists, filters, rebuilding and comparing them."""
