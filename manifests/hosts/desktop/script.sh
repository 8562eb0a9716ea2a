#!/bin/sh
# Nautilus and Caja, context menu > Scripts. They pass the selection as arguments, relative to the
# folder they show; the variable, a path a line, stands in where they pass none.
if [ $# -eq 0 ]; then
    set -f
    IFS='
'
    set -- $NAUTILUS_SCRIPT_SELECTED_FILE_PATHS
fi
exec @COMMAND@ -- "$@"
