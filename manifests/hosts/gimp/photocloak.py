#!/usr/bin/env python3
"""photocloak for GIMP 3: Filters > Cloak faces…, and File > Export cloaked….

Copyright (C) 2026 the photocloak authors. This program is free software: you can redistribute it
and/or modify it under the terms of the GNU General Public License as published by the Free Software
Foundation, either version 3 of the License, or (at your option) any later version. It is
distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; see the GNU General Public
License for more details.

Put in its place by `photocloak install gimp`, which fills in what only that installation knows.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True  # else Python leaves a folder here that nobody takes away

import gi

gi.require_version("Gimp", "3.0")
import cloaking
import pictures
from cloaking import CloakError, Keeper, Wish
from gi.repository import Gimp, Gio, GLib, GObject

# program, modes, and the presets with the format that each writes, empty: the source's.
SETUP: dict[str, Any] = json.loads(r"""@SETUP@""")

CLOAK = "plug-in-photocloak-cloak-faces"
EXPORT = "plug-in-photocloak-export"
READWRITE = GObject.ParamFlags.READWRITE
KEEPER = Path(__file__).with_name("keeper.py")
LAYER_BELOW = (
    "The cloaked faces become a layer over the others. The clean faces stay\n"
    "below it: an XCF file keeps them, and so does whatever you export\n"
    "while the cloaked layer is hidden."
)
WRITTEN_FROM = (
    "What is visible is cloaked and written, checked byte by byte. Layers that\n"
    "photocloak made are left out, so that nothing is cloaked twice."
)


class Photocloak(Gimp.PlugIn):
    """The two procedures, in menus and for scripts."""

    def do_set_i18n(self, _name: str) -> bool:
        """Say that there are no translations."""
        return False

    def do_query_procedures(self) -> list[str]:
        """Return the names of the procedures."""
        return [CLOAK, EXPORT]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """Describe a procedure; its arguments make its dialog."""
        run = run_cloak if name == CLOAK else run_export
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("*")
        mask = Gimp.ProcedureSensitivityMask
        procedure.set_sensitivity_mask(mask.DRAWABLE | mask.DRAWABLES | mask.NO_DRAWABLES)
        procedure.set_attribution("the photocloak authors", "the photocloak authors", "2026")
        if name == EXPORT:
            describe_export(procedure)
        else:
            describe_cloak(procedure)
        procedure.add_choice_argument(
            "mode",
            "_Mode",
            "How much of a face may be changed: more protects better, and is seen more",
            choice(SETUP["modes"]),
            "balanced",
            READWRITE,
        )
        procedure.add_string_argument(
            "person",
            "_Whom it shows",
            "A name, if the picture shows one person whom photocloak shall know by it",
            "",
            READWRITE,
        )
        return procedure


def describe_cloak(procedure: Gimp.Procedure) -> None:
    """Say where Cloak faces is found, and what it does."""
    procedure.set_menu_label("Cloak _faces…")
    procedure.add_menu_path("<Image>/Filters")
    procedure.set_documentation(
        "Cloak faces against face recognition",
        "Has photocloak change the faces that are visible, in the selection if there is one, and "
        "puts them over the others as a layer with a mask.",
        CLOAK,
    )


def describe_export(procedure: Gimp.Procedure) -> None:
    """Say where Export cloaked is found, what it does, and what it has to know besides."""
    procedure.set_menu_label("Export _cloaked…")
    procedure.add_menu_path("<Image>/File/[Export]")
    procedure.set_documentation(
        "Export the picture with its faces cloaked",
        "Writes what `photocloak cloak` writes: what is visible with its faces cloaked, with the "
        "metadata of the image as far as the preset lets it through, checked on the written bytes.",
        EXPORT,
    )
    procedure.add_file_argument(
        "file",
        "_File",
        "Where to write it; the ending says the format",
        Gimp.FileChooserAction.SAVE,
        False,
        None,
        READWRITE,
    )
    procedure.add_choice_argument(
        "preset",
        "_Preset",
        "What metadata and size the file keeps",
        choice(SETUP["presets"]),
        next(iter(SETUP["presets"])),
        READWRITE,
    )


def choice(names: Any) -> Gimp.Choice:
    """Return names as something to choose from."""
    made = Gimp.Choice.new()
    for number, name in enumerate(names):
        made.add(name, number, name, "")
    return made


def guarded(work: Callable[..., Gimp.ValueArray | None]) -> Callable[..., Gimp.ValueArray]:
    """Make a procedure of a function that returns nothing for cancelled, and raises in words."""

    def run(
        procedure: Gimp.Procedure,
        mode: Gimp.RunMode,
        image: Gimp.Image,
        _drawables: list[Gimp.Drawable],
        config: Gimp.ProcedureConfig,
        _data: object,
    ) -> Gimp.ValueArray:
        status = Gimp.PDBStatusType
        try:
            if not work(procedure, mode, image, config):
                return procedure.new_return_values(status.CANCEL, None)
        except CloakError as error:
            return procedure.new_return_values(status.EXECUTION_ERROR, GLib.Error(str(error)))
        Gimp.displays_flush()
        return procedure.new_return_values(status.SUCCESS, None)

    return run


@guarded
def run_cloak(
    procedure: Gimp.Procedure, mode: Gimp.RunMode, image: Gimp.Image, config: Gimp.ProcedureConfig
) -> bool:
    """Cloak the faces that are visible, into a layer over the others."""
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise CloakError(
            "An indexed image has no colours for cloaked faces: make it RGB first "
            "(Image > Mode > RGB)."
        )
    if mode == Gimp.RunMode.INTERACTIVE and not ask(procedure, config, LAYER_BELOW):
        return False
    wish = Wish(config.get_property("mode"), "keep", config.get_property("person") or "")
    part = pictures.selected(image)
    with Keeper(KEEPER, os.environ) as keeper, pictures.visible(image, part) as copy:
        photo = keeper.folder / "photo.tif"
        pictures.write(copy, photo, "TIFF", metadata=False)
        words = cloaking.command(SETUP["program"], photo, keeper.folder / "cloaked", wish)
        outcome = keeper.cloak(words, progress("Cloaking faces"))
        chosen, others = pictures.choose(image, part, outcome["faces"])
        layer = pictures.cloaked_layer(copy, Path(outcome["output"]), chosen, others)
        pictures.insert(image, layer, f"Cloaked ({wish.mode})", part)
    tell(image, outcome)
    return True


@guarded
def run_export(
    procedure: Gimp.Procedure, mode: Gimp.RunMode, image: Gimp.Image, config: Gimp.ProcedureConfig
) -> bool:
    """Write the file that `photocloak cloak` writes."""
    if mode == Gimp.RunMode.INTERACTIVE:
        config.set_property("file", suggested(image))
        if not ask(procedure, config, WRITTEN_FROM):
            return False
    chosen = config.get_property("file")
    if chosen is None or chosen.get_path() is None:
        raise CloakError("Name a file on this machine to write to.")
    path, preset = Path(chosen.get_path()), config.get_property("preset")
    form = cloaking.handed_over(path, preset, SETUP["presets"][preset])
    own = (image.get_xcf_file(), image.get_imported_file())
    if cloaking.is_same_file(path, *(file and file.get_path() for file in own)):
        raise CloakError(f"{path}: this is the photo itself, which must stay; choose another name.")
    if path.exists() and mode != Gimp.RunMode.INTERACTIVE:  # what a script opened has no file
        raise CloakError(f"{path}: is there already; remove it first, or choose another name.")
    if path.exists() and not may_replace(path):
        return False
    wish = Wish(config.get_property("mode"), preset, config.get_property("person") or "")
    with Keeper(KEEPER, os.environ) as keeper:
        photo = keeper.folder / f"photo.{form.lower()}"
        with pictures.visible(image) as copy:
            pictures.write(copy, photo, form, metadata=True)
        words = cloaking.command(SETUP["program"], photo, keeper.folder / "cloaked", wish)
        outcome = keeper.cloak(words, progress("Exporting cloaked"), path)
    tell(image, outcome)
    return True


def ask(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, note: str) -> bool:
    """Show the dialog that the arguments make, with a note below; tell whether to go on."""
    gi.require_version("GimpUi", "3.0")
    from gi.repository import GimpUi

    GimpUi.init("photocloak")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, None)
    dialog.get_label("note", note, False, False)
    names = [argument.get_name() for argument in procedure.get_arguments()]
    shown = [name for name in ("file", "preset", "mode", "person") if name in names]
    dialog.fill([*shown, "note"])
    agreed = dialog.run()
    dialog.destroy()
    return agreed


def may_replace(path: Path) -> bool:
    """Ask whether a file that is there may be replaced."""
    gi.require_version("Gtk", "3.0")
    from gi.repository import Gtk

    question = Gtk.MessageDialog(
        message_type=Gtk.MessageType.QUESTION,
        buttons=Gtk.ButtonsType.OK_CANCEL,
        text=f"{path.name} is there already. Replace it?",
    )
    answer = question.run()
    question.destroy()
    return answer == Gtk.ResponseType.OK


def suggested(image: Gimp.Image) -> Gio.File:
    """Return where an export may go: beside the photo."""
    known = image.get_imported_file() or image.get_xcf_file()
    path = None if known is None else known.get_path()
    photo = Path(path) if path else Path(GLib.get_home_dir(), "photo")
    return Gio.File.new_for_path(str(photo.with_name(f"{photo.stem}-cloaked.jpg")))


def progress(title: str) -> Callable[[float], object]:
    """Begin GIMP's bar, which its exports have used before; return what moves it."""
    Gimp.progress_init(title)
    return Gimp.progress_update


def tell(image: Gimp.Image, outcome: dict[str, Any]) -> None:
    """Say what there is to know: photocloak's remark, and a cloaked layer that is hidden."""
    if outcome["reason"]:
        Gimp.message(outcome["reason"])
    name = pictures.hidden_cloak(image)
    if name is not None:
        Gimp.message(
            f"The layer “{name}” is hidden: what GIMP exports shows the faces below it uncloaked."
        )


Gimp.main(Photocloak.__gtype__, sys.argv)
