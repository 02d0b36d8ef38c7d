"""`mien convert`: a network of one's own becomes ONNX, or a pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    sources: Annotated[list[Path], typer.Argument(metavar="SRC...", help="The network's file or files.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Write the result there.")],
    like: Annotated[
        str | None,
        typer.Option("--like", metavar="PACK", help="Make a pack with the facts of this one, to be edited."),
    ] = None,
    converter: Annotated[
        str | None,
        typer.Option("--converter", metavar="NAME", help="For files that only hold weights (docs/packs.md)."),
    ] = None,
) -> None:
    """Convert a network to ONNX: OpenVINO, Caffe, MXNet, Keras, TensorFlow Lite or frozen, ONNX.

    Nothing in the files is executed. With --like the folder becomes a pack: look at its pack.toml, then
    move it to where mien info says the packs are.
    """
    from mien.cli.console import results
    from mien.convert.apart import NATIVE, convert_apart
    from mien.convert.formats import find_parts
    from mien.convert.table import converter as named
    from mien.errors import ConversionFailed
    from mien.packs.disk import write_synced, writing
    from mien.packs.own import pack_like, write_pack
    from mien.packs.store import PackStore
    from mien.runtime.session import describe_network
    from mien.settings import load_settings

    settings = load_settings()
    pattern = PackStore(settings.packs_dir).manifest(like) if like else None
    if converter:
        name, parts = converter, tuple(sources)
    else:
        kind, parts = find_parts(sources)
        name = kind.convert
    try:
        contents = [path.read_bytes() for path in parts]
    except OSError as error:
        raise ConversionFailed(f"{error.filename} cannot be read: {error.strerror}.", hint="") from error
    network = convert_apart(name, contents) if name in NATIVE else named(name)(*contents)
    if pattern:
        described = pack_like(out, parts, name, pattern)
        file = described.files[0].name
        write_pack(out, described, {file: network})
    else:
        file = f"{parts[0].stem}.onnx"
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            write_synced(out / file, network)
    results().print(f"{out / file}", markup=False, soft_wrap=True)
    for line in describe_network(out / file):
        results().print(f"  {line}", markup=False, soft_wrap=True)
    if pattern:
        results().print(
            f"{out / 'pack.toml'} copies the facts of {like}: check [input], [facts] and [threshold], "
            f"then move {out} into {settings.packs_dir}",
            markup=False,
            soft_wrap=True,
        )
