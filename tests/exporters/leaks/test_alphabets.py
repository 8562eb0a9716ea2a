"""Every script is read as its languages are written; codes in its letters are not."""

import random
import unicodedata

import numpy as np
import pytest

from photocloak.exporters.leaks.ledger import Ledger, settled
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.leaks.readability import cost
from photocloak.exporters.leaks.tables import table

PREVIEWS = Previews(np.zeros((8, 8, 3), np.uint8))
MOST = table("limits")["file"]["unread"]
CAPTIONS = {
    "Russian": "Свадьба Анны и Дмитрия: жених с невестой у дворца, за ними родители и друзья. "
    "Снимок сделан на рассвете, когда туман ещё стоял над рекой, а гости только собирались.",
    "Ukrainian": "Весілля Оксани та Андрія: молодята біля церкви, позаду їхні батьки й бабуся. "
    "Знімок зроблено на світанку, коли над річкою ще стояв туман, а гості лише збиралися.",
    "Bulgarian": "Сватбата на Мария и Георги: младоженците пред църквата, зад тях са родителите им "
    "и баба Елена. Снимката е направена рано сутринта, когато гостите тепърва идваха.",
    "Greek": "Ο γάμος της Ελένης και του Γιώργου στη Θεσσαλονίκη, με όλη την οικογένεια. Πίσω τους "
    "φαίνονται οι γονείς και η γιαγιά, λίγο πριν ξεκινήσει ο χορός στην πλατεία.",
    "Hebrew": "החתונה של רחל ודוד בירושלים עם כל המשפחה והחברים. מאחוריהם עומדים ההורים וסבתא, רגע "
    "לפני שהתחילו הריקודים בחצר הבית הישן.",
    "Arabic": "حفل زفاف ليلى وأحمد في القاهرة مع جميع أفراد العائلة والأصدقاء. خلفهم يقف الوالدان "
    "والجدة قبل أن يبدأ الرقص في ساحة البيت القديم.",
    "Hindi": "शादी के दिन पूरा परिवार मंदिर के सामने खड़ा है, पीछे दादाजी और बच्चे हैं। यह तस्वीर सुबह ली "
    "गई थी, जब मेहमान धीरे धीरे आ रहे थे।",
    "Korean": "결혼식 날 아침 교회 앞에서 찍은 가족 사진입니다. 뒤에 부모님과 할머니가 서 계시고 "
    "아이들은 마당에서 놀고 있습니다.",
    "Georgian": "ანას და გიორგის ქორწილი თბილისში, მთელი ოჯახი ეკლესიის წინ დგას. უკან მშობლები და "
    "ბებია ჩანან, სანამ ცეკვა დაიწყებოდა.",
    "Thai": "ภาพครอบครัวหน้าโบสถ์ในเช้าวันแต่งงาน ด้านหลังคือคุณพ่อคุณแม่และคุณยาย",
}
SCRIPTS = {
    "Cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
    "Greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "Hebrew": "".join(map(chr, range(0x5D0, 0x5EB))),
    "Arabic": "".join(map(chr, range(0x627, 0x63B))),
    "Devanagari": "".join(map(chr, range(0x915, 0x93A))),
    "Georgian": "".join(map(chr, range(0x10D0, 0x10F1))),
    "Hangul": "".join(map(chr, range(0xAC00, 0xAC00 + 4096))),
    "ideographs": "".join(map(chr, range(0x4E00, 0x4E00 + 512))),
}


@pytest.mark.parametrize("language", CAPTIONS)
def test_a_caption_and_its_keywords_stay(language: str) -> None:
    caption = CAPTIONS[language]
    ledger = Ledger(PREVIEWS)
    # EXIF, IPTC and XMP each have the caption
    assert all(ledger.admits_text(one) for one in [*[caption] * 3, *caption.split()])
    assert not ledger.overdrawn


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("group", [1, 2, 3, 5, 8])
def test_a_code_in_the_letters_of_a_script_does_not(name: str, group: int) -> None:
    """Letters as skewed as a language's, 1,500 of them, in words and in pieces of 60."""
    rng = random.Random(group)
    letters = rng.sample(SCRIPTS[name], min(64, len(SCRIPTS[name])))
    weights = [1 / (rank + 8) for rank in range(len(letters))]
    code = "".join(rng.choices(letters, weights, k=1500))
    text = " ".join(code[at : at + group] for at in range(0, len(code), group))
    assert not Ledger(PREVIEWS).admits_text(text)
    pieces = [text[at : at + 60] for at in range(0, len(text), 60)]
    kept, _ = settled(lambda account: [one for one in pieces if account.admits_text(one)], PREVIEWS)
    told = sum(map(str.isalpha, "".join(kept)))
    assert told * 6 / 8 <= MOST  # bytes


@pytest.mark.parametrize("first", [0x300, 0xFE00, 0xE0100])
@pytest.mark.parametrize("caption", ["the bride and her father", CAPTIONS["Hindi"]])
def test_signs_on_letters_are_no_hiding_place(first: int, caption: str) -> None:
    """Accents and variation selectors without end on a readable text."""
    rng = random.Random(first)
    signs = "".join(chr(first + rng.randrange(16)) for _ in range(2000))
    assert cost(caption + signs).opaque > table("limits")["value"]["opaque"]
    each = "".join(a + b for a, b in zip(caption * 40, signs, strict=False))
    assert cost(each).opaque > table("limits")["value"]["opaque"]


def test_accents_may_stand_apart() -> None:
    caption = "Đám cưới của Nguyễn Thị Phương và Trần Văn Hùng tại Thành phố Hồ Chí Minh."
    assert cost(unicodedata.normalize("NFD", caption)) == cost(caption)
    assert cost(caption).opaque == 0
