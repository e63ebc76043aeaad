"""``<program> completion SHELL``: a script with which a shell completes command lines by calling the program back."""

from __future__ import annotations

from daos_control.cli.guidance.completion import OWN, Candidate

TYPE_CHECKING = False  # as in typing, see cli.flags
if TYPE_CHECKING:
    from collections.abc import Iterable

    from daos_control.cli.flags import Values

BASH = r"""# Completion of PROGRAM for bash:  source <(PROGRAM completion bash)
_FUNCTION() {
    # bash cuts words at = and : as well; take them as they are typed, and give back what is behind the last cut
    local -a typed
    local line="${COMP_LINE:0:COMP_POINT}" item
    read -r -a typed <<< "$line"
    typed=("${typed[@]//\\;/;}")
    [[ $line == *[[:space:]] ]] && typed+=("")
    local word="${typed[-1]}" cut=""
    [[ $word == *[=:]* ]] && cut="${word%"${word##*[=:]}"}"
    COMPREPLY=()
    while IFS= read -r item; do
        item="${item#"$cut"}"
        COMPREPLY+=("${item//;/\\;}")
    done < <(VARIABLE=1 "${typed[@]}" 2>/dev/null | cut -f 1)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:=/,] ]] && compopt -o nospace
    return 0
}
complete -F _FUNCTION PROGRAM
"""

ZSH = r"""#compdef PROGRAM
# Completion of PROGRAM for zsh:  source <(PROGRAM completion zsh), or the file _PROGRAM in a folder of $fpath
_FUNCTION() {
    local -a lines open openshown whole shown
    local line item about
    local -i width=0
    lines=("${(@f)$(VARIABLE=1 "${(Q)words[1]}" "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "${lines[@]}"; do
        item="${line%%$'\t'*}"
        (( $#item > width )) && width=$#item
    done
    for line in "${lines[@]}"; do
        item="${line%%$'\t'*}" about="${line#*$'\t'}"
        [[ -z $item ]] && continue
        if [[ $item == *[:=/,] ]]; then  # more of the word follows
            open+=("${item//;/\\;}") openshown+=("${(r:width:)item}  $about")
        else
            whole+=("${item//;/\\;}") shown+=("${(r:width:)item}  $about")
        fi
    done
    (( $#open )) && compadd -Q -S '' -l -d openshown -- "${open[@]}"
    (( $#whole )) && compadd -Q -l -d shown -- "${whole[@]}"
}
if [[ ${funcstack[1]} == _PROGRAM ]]; then _FUNCTION "$@"; else compdef _FUNCTION PROGRAM; fi
"""

FISH = r"""# Completion of PROGRAM for fish:  PROGRAM completion fish | source
function _FUNCTION
    set -l words (commandline -opc)
    VARIABLE=1 $words (commandline -ct) 2>/dev/null
end
complete -c PROGRAM -f -a '(_FUNCTION)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def script(args: Values) -> int:
    """Print the script for a shell."""
    name = args.program.name
    text = SCRIPTS[args.shell].replace("_FUNCTION", f"_complete_{name}")
    print(text.replace("PROGRAM", name).replace("VARIABLE", OWN), end="")
    return 0


def shell(text: str) -> str:
    """Read the name of a shell."""
    if text not in SCRIPTS:
        raise ValueError(f"there is completion for {', '.join(SCRIPTS)}, not for {text!r}")
    return text


def shells(word: str) -> Iterable[Candidate]:
    """Offer shells."""
    return (Candidate(name) for name in SCRIPTS if name.startswith(word))
