# photocloak in digiKam's Batch Queue Manager. digiKam writes two paths into this text, unescaped,
# before a shell reads it, and publishes what lies at the second one however this ends. So both
# stand in quoted here-documents, whose last line no path can hold (a path has no three double
# slashes), and the result gets its name only when it is complete and checked.
photo() {
    cat <<'//photocloak//photo//'
$INPUT
//photocloak//photo//
}
result() {
    cat <<'//photocloak//result//'
$OUTPUT
//photocloak//result//
}

fail() {
    printf 'photocloak: %s\n' "$1" >&2
    if command -v notify-send >/dev/null; then
        text=$(printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g')
        notify-send --app-name=photocloak --icon=dialog-warning -- "Not cloaked" "$text"
    fi
    exit 1
}

kind() {
    printf '%s' "${1##*.}" | tr 'A-Z' 'a-z' | sed 's/^jpe.*/jpg/; s/^tiff$/tif/; s/^heif$/heic/'
}

# digiKam puts each path between double quotes; a line end follows, and the dot that saves it.
photo=$(photo; echo .) photo=${photo#\"} photo=${photo%\"?.}
result=$(result; echo .) result=${result#\"} result=${result%\"?.}
case $photo in /*) ;; *) fail "digiKam named no photo" ;; esac
case $result in /*) ;; *) fail "digiKam named no place for the result" ;; esac
folder=${result%/*}

# What a kill left behind: cloaked, but nobody waits for it any more.
find "$folder/" -maxdepth 1 -type d -name '.photocloak-digikam-*' -mmin +10 \
    -exec rm -rf -- {} + 2>/dev/null
work=$(mktemp -d "$folder/.photocloak-digikam-XXXXXXXX") ||
    fail "$folder: cannot be written to; choose another folder for the queue"
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM

# digiKam kills after 60 s.
said=$(timeout -k 2 55 @PHOTOCLOAK@ cloak --deadline 50 --no-face hold --progress none \
    -o "$work/out" -- "$photo" 2>&1 >/dev/null) ||
    fail "${said:-$photo: photocloak was ended, at the latest after 55 seconds}"
set -- "$work/out"/*
if [ $# -ne 1 ] || [ ! -s "$1" ]; then
    fail "$photo: photocloak wrote nothing"
fi
if [ "$(kind "$1")" != "$(kind "$result")" ]; then
    fail "$photo: the preset in photocloak's settings writes .${1##*.} files; choose that file type \
in the workflow's User Shell Script, or another preset"
fi
mv -f -- "$1" "$result" || fail "$result: cannot be written"
