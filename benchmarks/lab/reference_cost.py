"""How many steps the published recipe needs for what photocloak reaches: manifests/bench.

By hand: `python benchmarks/lab/reference_cost.py` prints the figures that `reference.toml` holds.
The recipe is the mode `fawkes` (targeted L2 on raw features, DSSIM penalty, Adam) at the budget of
`balanced`, on the portrait that ships. Similarity is the mean raw cosine to the clean face over the
extractors, on the written file. Gradients come from ONNX Runtime, which agree with PyTorch's
(tests/engine/autodiff/test_parity.py): steps are counted here, not timed.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from photocloak import exporters
from photocloak.core import manifest_root
from photocloak.engine import FaceSpace, Subject, load_mode, measure
from photocloak.engine.optimisation.methods import Fawkes
from photocloak.plugin import (
    Database,
    Folders,
    Job,
    Roster,
    Settings,
    load_engine,
    open_pipeline,
)

PORTRAIT = manifest_root() / "demo" / "astronaut.png"
MOST, EVERY = 1000, 10


def main() -> None:
    """Print what photocloak reaches, and the recipe's way there."""
    user = Folders.of_user()
    engine = load_engine(Settings(), user)
    with tempfile.TemporaryDirectory() as place:
        private = Folders(user.config, Path(place, "data"))
        pipeline = open_pipeline(engine, private)
        outcome = pipeline.run(Job(PORTRAIT, Path(place, "out"), "balanced", "keep"))
        [person] = Roster(Database(private.database)).everybody()
    goal = float(np.mean(list(outcome.faces[0].similarity.values())))
    print(f"balanced: {outcome.faces[0].similarity}, mean {goal:.4f}", flush=True)

    photo = exporters.read(PORTRAIT)
    policy = exporters.load_policy("keep")
    base = exporters.prepare(photo, policy)
    face = engine.detector(base)[0]
    own = engine.ensemble.embed(base, [face])[0]
    target = engine.library.targets[person.target]
    mode = replace(load_mode("fawkes"), rho=load_mode("balanced").rho, steps=MOST)
    space = FaceSpace.of(face)
    subject = Subject(face, target, own, mode)
    rng = np.random.default_rng(0)
    search = Fawkes(engine.ensemble, engine.library.means, base, subject, rng)
    for step in range(1, MOST + 1):
        search.descend()
        if step % EVERY:
            continue
        worn = search.found()
        encoded = exporters.encode(photo, base, space.add(base, worn.parameters["delta"]), policy)
        written = exporters.read_bytes(encoded.data, "reference.png").pixels
        [seen] = measure(
            base, written, [face], [own], ensemble=engine.ensemble, detector=engine.detector
        )
        mean = float(np.mean(list(seen.similarity.values())))
        print(f"{step} steps: mean {mean:.4f}, DSSIM {worn.amounts['delta']:.4f}", flush=True)
        if mean <= goal:
            break


if __name__ == "__main__":
    main()
