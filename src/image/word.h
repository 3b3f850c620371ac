// Words of Dockerfile instructions: quotes, escapes and variables as Docker's own lexer treats them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kiln::image {

/// Splits at blanks outside quotes; quotes and backslashes stay in the words.
std::vector<std::string> split_words(std::string_view text);

/// Takes the quotes off and puts in variables: $NAME, ${NAME}, ${NAME:-otherwise}, ${NAME:+instead}; an unknown name is
/// empty. Errc::usage for an open quote or brace.
Result<std::string> expand_word(std::string_view word, const std::map<std::string, std::string>& variables);

}  // namespace kiln::image
