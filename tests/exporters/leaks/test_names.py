"""What the scan says of a name is the name, however the packet is quoted."""

import pytest

from photocloak.exporters.leaks.names import in_xmp

REGIONS = """<rdf:Description xmlns:mwg-rs={q}http://www.metadataworkinggroup.com/schemas/regions/{q}>
<mwg-rs:Regions rdf:parseType={q}Resource{q}>
<mwg-rs:AppliedToDimensions stDim:w={q}840{q} stDim:h={q}700{q} stDim:unit={q}pixel{q}/>
<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name={q}Marie Curie{q}
mwg-rs:Type={q}Face{q}><mwg-rs:Area stArea:x={q}0.37{q} stArea:unit={q}normalized{q}/>
</rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description>"""


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_region_tells_its_name_and_no_geometry(quote: str) -> None:
    (found,) = in_xmp(REGIONS.format(q=quote).encode(), "here")
    assert (found.kind, found.detail) == ("person", "mwg-rs:Regions: Marie Curie")


def test_a_serial_of_digits_alone_is_told() -> None:
    packet = (
        b'<rdf:Description xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" aux:SerialNumber="0620"/>'
    )
    (found,) = in_xmp(packet, "here")
    assert (found.kind, found.detail) == ("serial", "aux:SerialNumber: 0620")
