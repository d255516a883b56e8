from translator.errors import unsupported
def transform(scope, value):
    raise unsupported("MERGE")
