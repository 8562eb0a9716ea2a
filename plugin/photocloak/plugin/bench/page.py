"""The figures as a page with plots."""

from photocloak.plugin.bench.results import Results
from photocloak.plugin.bench.whole import STAGES
from photocloak.plugin.html import Bar, bars, document, tag


def page(found: Results) -> bytes:
    """Return an HTML page of its own."""
    steps, kernels = found.steps, found.kernels
    rows = []
    for name, seconds in steps.step.items():
        rows += [
            Bar(f"{name}: step", 1000 * seconds, tone="good"),
            Bar(f"{name}: forward", 1000 * steps.forward[name]),
        ]
        if steps.torch is not None:
            rows.append(Bar(f"{name}: PyTorch step", 1000 * steps.torch[name], tone="warn"))
    shares = [
        Bar("convolution", kernels.convolution, tone="good"),
        Bar("other kernels", kernels.other),
        Bar("outside", kernels.outside, tone="warn"),
        *(Bar(f"  {kind}", share) for kind, share in list(kernels.nodes.items())[:8]),
    ]
    photos = [
        Bar(f"{one.size.megapixels:g} MP, {one.size.faces} faces", one.per_minute)
        for one in found.photos
    ]
    stages = [
        Bar(f"{one.size.megapixels:g} MP, {one.size.faces} faces: {name}", one.stages[name])
        for one in found.photos
        for name in STAGES
    ]
    return document(
        "How fast photocloak is here",
        tag("h1", "How fast photocloak is here"),
        tag("pre", "\n".join(found.lines())),
        bars("Milliseconds", rows, summary="Step and forward by recogniser.", form=".1f"),
        bars("Where a step goes", shares, summary="Shares of a step.", most=1, form=".0%"),
        bars("Photos a minute", photos, summary="Photos a minute by size.", form=".1f"),
        bars("Where a photo's time goes", stages, summary="Seconds by stage.", form=".2f"),
    )
