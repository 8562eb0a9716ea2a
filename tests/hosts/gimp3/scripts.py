"""What runs inside GIMP; the names that are not defined here are in `gimp.HEAD`."""

SHOWN = """
def photo(): return load(Path({photos!r}, "ada's ü.jpg"))
orders(faces=[{face}])
for name, form in {forms}:
    told_of(name, load(Path({photos!r}, name)), form)
image = photo()
group = Gimp.GroupLayer.new(image, "group")
image.insert_layer(group, None, 0)
image.reorder_item(image.get_layers()[1], group, 0)
hidden = Gimp.Layer.new(image, "hidden", 512, 512, Gimp.ImageType.RGBA_IMAGE, 100.0,
    Gimp.LayerMode.NORMAL)
hidden.fill(Gimp.FillType.WHITE)
image.insert_layer(hidden, None, 0)
hidden.set_visible(False)
told_of("groups", image)
told_of("twice", image, mode="strong")
image = photo()
outer, inner = (Gimp.GroupLayer.new(image, name) for name in ("outer", "inner"))
image.insert_layer(outer, None, 0)
image.insert_layer(inner, outer, 0)
inner.set_mode(Gimp.LayerMode.PASS_THROUGH)
tint = Gimp.Layer.new(image, "tint", 300, 400, Gimp.ImageType.RGBA_IMAGE, 50.0,
    Gimp.LayerMode.MULTIPLY)
image.insert_layer(tint, inner, 0)
tint.set_offsets(120, 30)
Gimp.context_set_foreground(Gegl.Color.new("orange"))
tint.edit_fill(Gimp.FillType.FOREGROUND)
image.select_ellipse(Gimp.ChannelOps.REPLACE, 130.0, 40.0, 200.0, 300.0)
tint.add_mask(tint.create_mask(Gimp.AddMaskType.SELECTION))
Gimp.Selection.none(image)
told_of("mixed", image)
image = photo()
image.get_layers()[0].append_filter(
    Gimp.DrawableFilter.new(image.get_layers()[0], "gegl:gaussian-blur", "blur"))
told_of("filtered", image)
image = photo()
proof(image)
told_of("proofed", image)
tell(name="proof", kept=image.get_simulation_profile().get_label())
image = photo()
image.convert_precision(Gimp.Precision.FLOAT_LINEAR)
told_of("linear", image)
if hasattr(Gimp, "LinkLayer"):
    image = Gimp.Image.new(512, 512, Gimp.ImageBaseType.RGB)
    file = Gio.File.new_for_path(str(Path({photos!r}, "ada's ü.jpg")))
    image.insert_layer(Gimp.LinkLayer.new(image, file), None, 0)
    told_of("linked", image)
image = photo()
layer = image.get_layers()[0]
layer.add_alpha()
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0.0, 400.0, 512.0, 112.0)
layer.edit_clear()
Gimp.Selection.none(image)
told_of("hole", image)
layer.set_opacity(60.0)
told_of("see-through", image)
told_of("indexed", load(Path({photos!r}, "indexed.png")))
orders(status="no_face", reason="photo.tif: no face was found")
told_of("held", photo())
orders(faces=[[121, 63, 110, 148], [300, 300, 40, 40]])
image = load(Path({photos!r}, "two.png"))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 140.0, 20.0, 180.0, 240.0)
told_of("selected", image)
tell(name="selection", bounds=list(Gimp.Selection.bounds(image))[1:])
orders(faces=[[300, 300, 40, 40]])
told_of("outside", image)
"""

EXPORTED = """
orders(real={command!r})
image = load({photo!r})
for name, preset in {exports!r}:
    error = export(image, Path({out!r}, name), preset=preset)
    tell(name=name, error=error)
error = cloak(image)
tell(name="over", error=error or export(image, Path({out!r}, "over.jpg"), preset="web"))
tell(name="itself", error=export(image, {photo!r}, preset="keep"))
tell(name="wrong", error=export(image, Path({out!r}, "a.png"), preset="web"))
tell(name="empty", error=export(load({empty!r}), Path({out!r}, "empty.jpg"), preset="web"))
deep = load({deep!r})
tell(name="deep.png", error=export(deep, Path({out!r}, "deep.png"), preset="keep"))
tell(name="indexed.jpg", error=export(load({indexed!r}), Path({out!r}, "indexed.jpg"),
    preset="web"))
"""

MADE = """
orders(real={command!r})
image = load({p3!r})
outer, inner = (Gimp.GroupLayer.new(image, name) for name in ("outer", "inner"))
image.insert_layer(outer, None, 0)
image.insert_layer(inner, outer, 0)
image.reorder_item(image.get_layers()[1], inner, 0)
proof(image)
told_of("p3", image, "R'G'B' u16", mode="balanced")
image.delete()
told_of("gray16", load({gray16!r}), "Y' u16", mode="balanced")
image = load({big!r})
told_of("big", image, mode="balanced")
tell(name="exported", error=export(image, {out!r}, preset="keep", mode="balanced"))
"""

SCHEME = """
(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE "{photo}"))))
  (plug-in-photocloak-cloak-faces #:run-mode RUN-NONINTERACTIVE #:image image #:mode "subtle")
  (plug-in-photocloak-export #:run-mode RUN-NONINTERACTIVE #:image image #:file "{out}"
    #:preset "web")
  (gimp-file-save RUN-NONINTERACTIVE image "{xcf}" -1))
"""
