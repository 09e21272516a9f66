// What a shell needs to ask this program for words: a few lines each, so that there is one place
// that knows the verbs, the fields and the names, and it is not the script.

package enum CompletionScript: String, CaseIterable, Sendable {
    case bash, zsh, fish

    /// The verb that scripts call; people have no use for it.
    package static let verb = "complete-words"

    package var text: String {
        switch self {
        case .bash:
            return #"""
                # bash completion of penstock
                _penstock() {
                    local line=${COMP_LINE:0:COMP_POINT} words current IFS=$' \t\n'
                    read -ra words <<< "$line"
                    [[ $line == *[[:space:]] ]] && words+=("")
                    current=${words[${#words[@]}-1]}
                    IFS=$'\n'
                    COMPREPLY=($(penstock complete-words -- "${words[@]:1}" 2>/dev/null))
                    # bash breaks words at '=' and completes what stands behind it alone.
                    if [[ $current == *=* && $COMP_WORDBREAKS == *=* ]]; then
                        COMPREPLY=("${COMPREPLY[@]#"${current%=*}="}")
                    fi
                    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
                }
                complete -o default -F _penstock penstock
                """#
        case .zsh:
            return #"""
                #compdef penstock
                _penstock() {
                    local -a found
                    local given=("${(@)words[2,CURRENT]}")
                    found=(${(f)"$(penstock complete-words -- "${given[@]}" 2>/dev/null)"})
                    if (( ${#found} == 0 )); then
                        _files
                    elif (( ${#found} == 1 )) && [[ $found[1] == *= ]]; then
                        compadd -S '' -- $found
                    else
                        compadd -- $found
                    fi
                }
                if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
                    _penstock "$@"
                else
                    compdef _penstock penstock
                fi
                """#
        case .fish:
            return #"""
                # fish completion of penstock
                function __penstock_words
                    set -l words (commandline -opc) (commandline -ct)
                    set -l found (penstock complete-words -- $words[2..-1] 2>/dev/null)
                    if set -q found[1]
                        printf '%s\n' $found
                    else
                        __fish_complete_path (commandline -ct)
                    end
                end
                complete -c penstock -f -a '(__penstock_words)'
                """#
        }
    }
}
