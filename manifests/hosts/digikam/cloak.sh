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

# Say why there is no result: what it is in a word or two, and why. The status is 0 all the same:
# an empty result is a failure to digiKam, and any other status only makes it say so once more, with
# a number. What the command line could do about it is left out; the review page has buttons.
fail() {
    why=$(printf '%s' "${2#*"$photo: "}" | sed 's/[;.] [^;.]*--[a-z].*$/./')
    printf 'photocloak: %s: %s\n' "$1" "$why" >&2
    if command -v notify-send >/dev/null; then
        text="$why
Nothing was written; digiKam calls that \"Failed to process item\"."
        case $1 in
        Held*) text="$text To see what can be done, right-click the photo in your file manager: \
Review Cloaked Faces…" ;;
        esac
        text=$(printf '%s' "$text" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g')
        notify-send --app-name=photocloak --icon=dialog-warning --urgency=critical -- "$1" "$text"
    fi
    exit 0
}

kind() {
    printf '%s' "${1##*.}" | tr 'A-Z' 'a-z' | sed 's/^jpe.*/jpg/; s/^tiff$/tif/; s/^heif$/heic/'
}

# digiKam puts each path between double quotes; a line end follows, and the dot that saves it.
photo=$(photo; echo .) photo=${photo#\"} photo=${photo%\"?.}
result=$(result; echo .) result=${result#\"} result=${result%\"?.}
case $photo in /*) ;; *) fail "Not cloaked" "digiKam named no photo" ;; esac
case $result in /*) ;; *) fail "Not cloaked" "digiKam named no place for the result" ;; esac
folder=${result%/*} name=${photo##*/}

# What a kill left behind: cloaked, but nobody waits for it any more.
find "$folder/" -maxdepth 1 -type d -name '.photocloak-digikam-*' -mmin +10 \
    -exec rm -rf -- {} + 2>/dev/null
work=$(mktemp -d "$folder/.photocloak-digikam-XXXXXXXX") ||
    fail "Not cloaked: $name" "$folder: cannot be written to; choose another folder for the queue"
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM

# digiKam kills after 60 s.
said=$(timeout -k 2 55 @PHOTOCLOAK@ cloak --deadline 50 --no-face hold --preset @PRESET@ \
    --progress none -o "$work/out" -- "$photo" 2>&1 >/dev/null)
status=$?
# An update of the system takes away the Python that photocloak was installed with.
case $status:$said in
126:* | 127:* | 1:*ModuleNotFoundError*)
    fail "Not cloaked: $name" "$photo: photocloak cannot be started, perhaps since an update of the \
system; install it again, then run: photocloak install digikam" ;;
esac
case $status in
0) ;;
5 | 8) fail "Held back: $name" "$said" ;; # no face or an uncertain one; too weak
124) fail "Not cloaked: $name" "$photo: it was ended, since digiKam waits for 60 seconds" ;;
137) fail "Not cloaked: $name" "$photo: it was ended, for want of memory or of time" ;;
*) fail "Not cloaked: $name" "${said:-$photo: photocloak was ended}" ;;
esac
set -- "$work/out"/*
if [ $# -ne 1 ] || [ ! -s "$1" ]; then
    fail "Not cloaked: $name" "$photo: photocloak wrote nothing"
fi
if [ "$(kind "$1")" != "$(kind "$result")" ]; then
    fail "Not cloaked: $name" "$photo: the preset writes .${1##*.} files; choose that file type in \
the workflow's User Shell Script, or another workflow"
fi
mv -f -- "$1" "$result" || fail "Not cloaked: $name" "$result: cannot be written"
