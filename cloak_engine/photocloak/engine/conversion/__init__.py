"""Rebuilds the shipped ONNX files from the packages they come from; run by hand, see MODELS.md."""
