"""What a protocol says of data: a source by name, or files of interactions and features."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from recbench.protocols.readers import Unfit, anything, flag, interval, list_of, one_of, set_of, table_of, text, whole
from recbench.protocols.sections import Section
from recbench.protocols.spec import DataSpec, FileSpec, FoldSpec, TableSpec

FileFormat: TypeAlias = Literal["csv", "adjacency", "parquet", "npy", "atomic"]
TableFormat: TypeAlias = Literal["csv", "parquet", "atomic"]
FeatureType: TypeAlias = Literal["number", "category", "tags", "text"]
FILE_FORMATS: tuple[FileFormat, ...] = ("csv", "adjacency", "parquet", "npy", "atomic")
TABLE_FORMATS: tuple[TableFormat, ...] = ("csv", "parquet", "atomic")
FEATURE_TYPES: tuple[FeatureType, ...] = ("number", "category", "tags", "text")
FIELDS = ("user", "item", "rating", "time")
SEPARATORS: Mapping[str, str] = {".csv": ",", ".tsv": "\t", ".dat": "::"}
TABLE_ENDINGS: Mapping[str, TableFormat] = {
    **dict.fromkeys(SEPARATORS, "csv"),
    ".parquet": "parquet",
    **dict.fromkeys((".inter", ".user", ".item"), "atomic"),
}
FILE_ENDINGS: Mapping[str, FileFormat] = {**TABLE_ENDINGS, ".npy": "npy"}
F = TypeVar("F", bound=str)


def data_spec(section: Section) -> DataSpec:
    """Read [data]: a source, interactions, or folds of train and test, which may lie in a source's folder."""
    has_source = "source" in section
    _check_form(section)
    if has_source:
        section.refuse("users", "items", "scale", because="beside source, which brings its own")
    folder = None if has_source else section.path.parent
    folds = _folds(section, folder)
    if has_source and not folds:
        section.refuse("on_bad_rows", "duplicates", because="beside source, which is read by rules of its own")
    if folds:
        section.refuse("core", because="where train and test are given: they stay as they are")
    here = section.path.parent
    return DataSpec(
        source=section.optional("source", text, default=None),
        interactions=interaction_file(section.table("interactions", "file"), here)
        if "interactions" in section
        else None,
        folds=folds,
        users=feature_table(section.table("users", "table"), here) if "users" in section else None,
        items=feature_table(section.table("items", "table"), here) if "items" in section else None,
        scale=section.optional("scale", interval, default=None),
        core=section.optional("core", whole(least=0), default=0),
        on_bad_rows=section.optional("on_bad_rows", one_of(("error", "drop")), default="error"),
        duplicates=section.optional("duplicates", one_of(("error", "first", "last", "mean")), default="error"),
    )


def _check_form(section: Section) -> None:
    """Data comes in one form: a source, interactions, or train and test; files of folds may lie in a source."""
    has_folds = any(key in section for key in ("train", "test", "fold"))
    if "interactions" in section and (has_folds or "source" in section):
        other = "source" if "source" in section else "train, test and fold"
        raise section.error(f"{section.place('interactions')} cannot stand beside {other}", fix="keep one of them")
    if not has_folds and "interactions" not in section and "source" not in section:
        raise section.error("[data] names no data", fix="add source, interactions, train and test, or [[data.fold]]")


def _folds(section: Section, folder: Path | None) -> tuple[FoldSpec, ...]:
    """`[[data.fold]]`, or `train` and `test` as the only one."""
    if "fold" in section:
        section.refuse("train", "test", because="beside [[data.fold]]")
        return tuple(_fold(each, folder) for each in section.tables("fold", "fold"))
    return (_fold(section, folder),) if "train" in section or "test" in section else ()


def _fold(section: Section, folder: Path | None) -> FoldSpec:
    for key in ("train", "test"):
        section.required(key, anything)
    return FoldSpec(
        train=interaction_file(section.table("train", "file"), folder),
        test=interaction_file(section.table("test", "file"), folder),
    )


def interaction_file(section: Section, folder: Path | None) -> FileSpec:
    """Read a file of interactions.

    Args:
        section: the table that names it.
        folder: where relative paths start; None keeps the path as it is, inside the folder of a source.
    """
    path = section.required("path", _inside_source if folder is None else _path)
    format_ = _format(section, path, FILE_FORMATS, FILE_ENDINGS)
    if format_ != "csv":
        section.refuse("separator", "header", because=f"with format = {format_!r}, which has a form of its own")
    if format_ == "adjacency":
        section.refuse("columns", because="with format = 'adjacency': a line is a user and their items")
    columns = section.optional("columns", _columns, default=None)
    if format_ != "csv" and isinstance(columns, tuple):
        section.refuse("columns", because=f"as a list with format = {format_!r}, which names its columns")
    return FileSpec(
        path=path if folder is None else folder / path,
        format=format_,
        separator=_separator(section, path, format_),
        header=_has_header(section, path, format_, columns),
        columns=columns,
    )


def own_file(path: Path, **given: str | list[str] | None) -> FileSpec:
    """A file of interactions outside any protocol, said by the keys a protocol has for it; None is not said.

    Raises:
        BadProtocol: the keys do not go together, or the file's ending says no format.
    """
    said = {key: value for key, value in given.items() if value is not None}
    section = Section.open("file", {"path": str(path), **said}, path=path, name="file")
    return interaction_file(section, Path())


def own_table(said: str, side: str) -> TableSpec:
    """A table of features outside any protocol, written as in one: `{ path = "items.csv", id = "item" }`.

    Args:
        said: the table.
        side: "users" or "items".

    Raises:
        BadProtocol: that is no table, a key is unknown, or a value cannot be meant.
    """
    try:
        document = tomllib.loads(f"{side} = {said}")
    except (ValueError, RecursionError):
        document = {}
    section = Section(path=Path(f"--{side}"), name="", values=document)
    if [*document] != [side]:
        raise section.error(
            f"{said[:80]!r} is no table in one line",
            fix=f'write it as in a protocol: --{side} \'{{ path = "{side}.csv", id = "id" }}\'',
        )
    return feature_table(section.table(side, "table"), Path())


def feature_table(section: Section, folder: Path) -> TableSpec:
    """Read a file of features of users or items."""
    path = section.required("path", _path)
    format_ = _format(section, path, TABLE_FORMATS, TABLE_ENDINGS)
    if format_ != "csv":
        section.refuse("separator", "header", "columns", because=f"with format = {format_!r}, which names its columns")
    columns = section.optional("columns", set_of(text), default=None)
    types = section.optional("types", table_of(one_of(FEATURE_TYPES)), default={})
    return TableSpec(
        path=folder / path,
        id=_id(section, format_, columns, types),
        format=format_,
        separator=_separator(section, path, format_),
        header=_has_header(section, path, format_, columns),
        columns=columns,
        types=types,
        tag_separator=section.optional("tag_separator", _separating, default="|"),
    )


def _format(section: Section, path: Path, formats: tuple[F, ...], endings: Mapping[str, F]) -> F:
    """The format that is said, or that goes with the file's ending; with a separator, other endings are text."""
    if "format" in section:
        return section.required("format", one_of(formats))
    found = endings.get(path.suffix.lower(), formats[0] if "separator" in section else None)
    if found is None:
        raise section.error(
            f"{section.place('format')} is missing, and the ending of {path.name!r} does not tell",
            fix=f"add `format = ...`, one of {', '.join(map(repr, formats))}",
        )
    return found


def _separator(section: Section, path: Path, format_: str) -> str:
    if format_ != "csv":
        return {"atomic": "\t", "adjacency": " "}.get(format_, ",")
    return section.optional("separator", _separating, default=SEPARATORS.get(path.suffix.lower(), ","))


def _has_header(section: Section, path: Path, format_: str, columns: Any) -> bool:
    """Whether the first line names the columns: so unless a list names them. `.dat` files come without one."""
    if format_ != "csv":
        return format_ != "adjacency"
    is_list = isinstance(columns, tuple)
    header = section.optional(
        "header", flag, default=not is_list and (path.suffix.lower() != ".dat" or columns is not None)
    )
    if not header and not is_list:
        raise section.error(
            f"{section.place('columns')} is missing: nothing names the columns of {path.name!r}",
            fix='list them in order, as in columns = ["user", "item", "rating", "time"], or set header = true',
        )
    return header


def _id(section: Section, format_: str, columns: tuple[str, ...] | None, types: Mapping[str, Any]) -> str:
    """The column of ids; RecBole's files have a fixed name for it."""
    if format_ == "atomic" and "id" not in section:
        return "user_id" if section.name.endswith("users") else "item_id"
    name = section.required("id", text)
    if columns is not None and name not in columns:
        raise section.unfit("id", Unfit(name, f"one of the columns {', '.join(map(repr, columns))}", options=columns))
    for each in types:
        if each == name or (columns is not None and each not in columns):
            raise section.unfit("types", Unfit(each, "a column other than the id", options=columns or ()))
    return name


def _columns(value: Any) -> tuple[str, ...] | Mapping[str, str]:
    names: tuple[str, ...] | Mapping[str, str]
    if isinstance(value, list):
        names = list_of(text)(value)
        fields = [name for name in names if name in FIELDS]
    elif isinstance(value, dict):
        names = table_of(text, names=FIELDS)(value)
        fields = [*names]
        set_of(text)([*names.values()])
    else:
        raise Unfit(value, "a list of names in the order of the columns, or a table from field to name")
    set_of(text)(fields)
    for field in ("user", "item"):
        if field not in fields:
            raise Unfit(value, "a naming of user and item at least", hint=f": it lacks {field!r}")
    return names


def _path(value: Any) -> Path:
    return Path(text(value))


def _inside_source(value: Any) -> Path:
    path = _path(value)
    if path.is_absolute() or ".." in path.parts:
        raise Unfit(value, "a path inside the source's folder")
    return path


def _separating(value: Any) -> str:
    if not isinstance(value, str) or not value or set(value) & set("\r\n"):
        raise Unfit(value, "one or more characters of a line")
    return value
