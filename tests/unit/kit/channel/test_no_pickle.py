"""Nothing in the plugin kit turns bytes into objects of any class."""

import ast
from pathlib import Path

import folkmoot_kit

FORBIDDEN = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
CALLS = {"eval", "exec", "load_module", "read_serialized", "deserialize_pandas", "read_pickle"}
ARGUMENTS = {"allow_pickle"}


def test_the_kit_neither_imports_pickle_nor_calls_its_like():
    found = []
    kit = Path(folkmoot_kit.__file__).parent
    files = sorted(kit.rglob("*.py"))
    assert len(files) > 20
    for file in files:
        if file.relative_to(kit).parts[0] == "attacks":
            continue  # plugins that try to have the host unpickle
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name.split(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").split(".")[0]]
            elif isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                found += [(file.name, called)] if called in CALLS else []
                found += [(file.name, word.arg) for word in node.keywords if word.arg in ARGUMENTS]
            found += [(file.name, name) for name in names if name in FORBIDDEN]
    assert found == []
