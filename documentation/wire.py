"""Every service, message and field of the wire, from the comments of the `.proto` files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from google.protobuf import descriptor_pb2 as described

from documentation.markdown import escaped, table

PROTO = Path(__file__).resolve().parents[1] / "proto"
_SCALARS = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in described.FieldDescriptorProto.Type.items()
}
_MESSAGE, _ENUM, _SERVICE = 4, 5, 6  # numbers of fields of FileDescriptorProto
_FIELD, _NESTED, _NESTED_ENUM = 2, 3, 4  # of DescriptorProto
_VALUE, _METHOD = 2, 2


@cache
def files(root: Path = PROTO) -> tuple[described.FileDescriptorProto, ...]:
    """The files of the contract, with their comments.

    Raises:
        RuntimeError: If one of them is not valid.
    """
    from grpc_tools import protoc  # type: ignore[import-untyped]

    sources = sorted(str(one.relative_to(root)) for one in root.glob("folkmoot/v*/*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptors"
        arguments = ["protoc", f"-I{root}", "--include_source_info", f"--descriptor_set_out={out}"]
        if protoc.main([*arguments, *sources]):
            raise RuntimeError("the contract is not valid; see the lines above")
        content = out.read_bytes()
    return tuple(described.FileDescriptorSet.FromString(content).file)


def page(root: Path = PROTO) -> str:
    """The page of the wire."""
    text = [
        "# The wire\n\nWhat a council's node and the region's coordinator say to each other: every "
        "service, message and field, from the comments of the contract. [How it is "
        "kept](../proto/README.md).\n"
    ]
    for file in files(root):
        comments = _comments(file)
        text.append(f"\n## {file.name.rpartition('/')[2]}\n")
        for number, service in enumerate(file.service):
            text.append(
                f"\n### {service.name}\n\n{escaped(comments.get((_SERVICE, number), ''))}\n\n"
            )
            rows = [
                (f"`{one.name}`", _short(one.input_type, one.client_streaming),
                 _short(one.output_type, one.server_streaming),
                 escaped(comments.get((_SERVICE, number, _METHOD, at), "")))
                for at, one in enumerate(service.method)
            ]  # fmt: skip
            text.append(table(("Call", "Request", "Response", "What it does"), rows))
        for number, enumeration in enumerate(file.enum_type):
            text.append(_enumeration(enumeration, (_ENUM, number), comments, ""))
        for number, message in enumerate(file.message_type):
            text.extend(_message(message, (_MESSAGE, number), comments, ""))
    return "".join(text)


def undescribed(root: Path = PROTO) -> Iterator[str]:
    """Fields without a comment, as `Message.field`."""
    for file in files(root):
        comments = _comments(file)
        for number, message in enumerate(file.message_type):
            yield from _undescribed(message, (_MESSAGE, number), comments, "")


def _undescribed(
    message: described.DescriptorProto,
    path: tuple[int, ...],
    comments: dict[tuple[int, ...], str],
    before: str,
) -> Iterator[str]:
    for at, field in enumerate(message.field):
        if not comments.get((*path, _FIELD, at)):
            yield f"{before}{message.name}.{field.name}"
    for at, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            below = (*path, _NESTED, at)
            yield from _undescribed(nested, below, comments, f"{before}{message.name}.")


def _comments(file: described.FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {
        tuple(one.path): " ".join(f"{one.leading_comments} {one.trailing_comments}".split())
        for one in file.source_code_info.location
        if one.leading_comments or one.trailing_comments
    }


def _message(
    message: described.DescriptorProto,
    path: tuple[int, ...],
    comments: dict[tuple[int, ...], str],
    before: str,
) -> Iterator[str]:
    name = f"{before}{message.name}"
    yield f"\n### {name}\n\n{escaped(comments.get(path, ''))}\n\n"
    rows = []
    for at, field in enumerate(message.field):
        said = escaped(comments.get((*path, _FIELD, at), ""))
        if field.HasField("oneof_index") and not field.proto3_optional:
            choice = message.oneof_decl[field.oneof_index].name
            said = f"One of `{choice}`. {said}"
        rows.append((str(field.number), f"`{field.name}`", _kind(field), said))
    if rows:
        yield table(("Number", "Field", "Type", "What it is"), rows)
    for at, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _message(nested, (*path, _NESTED, at), comments, f"{name}.")
    for at, enumeration in enumerate(message.enum_type):
        yield _enumeration(enumeration, (*path, _NESTED_ENUM, at), comments, f"{name}.")


def _enumeration(
    enumeration: described.EnumDescriptorProto,
    path: tuple[int, ...],
    comments: dict[tuple[int, ...], str],
    before: str,
) -> str:
    rows = [
        (str(one.number), f"`{one.name}`", escaped(comments.get((*path, _VALUE, at), "")))
        for at, one in enumerate(enumeration.value)
    ]
    head = f"\n### {before}{enumeration.name}\n\n{escaped(comments.get(path, ''))}\n\n"
    return head + table(("Number", "Value", "What it means"), rows)


def _kind(field: described.FieldDescriptorProto) -> str:
    name = _short(field.type_name, False) if field.type_name else _SCALARS[field.type]
    if field.label == described.FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {name}"
    return f"optional {name}" if field.proto3_optional else name


def _short(name: str, streamed: bool) -> str:
    short = name.removeprefix(".folkmoot.v1.")
    return f"stream of `{short}`" if streamed else f"`{short}`"
