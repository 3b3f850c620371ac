// {{ define }} and {{ block }} of old JSON templates.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "template/go_tokens.h"

namespace kiln::tmpl {

namespace {

/// The name of {{ define "name" }} or {{ block "name" pipeline }}; the latter leaves {{ template }} where it stands.
std::string definition(const GoPiece& piece, bool block, std::vector<GoPiece>& out, std::string& problem) {
  const std::vector<GoToken> tokens = go_tokens(piece.text, problem);
  const bool named = tokens.size() > 1 && tokens[1].kind == GoTok::text;
  if (!named && problem.empty()) problem = fmt::format("\"{}\" has no name in quotes", tokens.front().text);
  if (!named) return {};
  if (block == (tokens.size() == 3) && problem.empty())
    problem = block ? "\"block\" lacks what its dot is" : "\"define\" has more than a name";
  if (block) {
    GoPiece call = piece;
    call.text.replace(call.text.find("block"), 5, "template");
    out.push_back(std::move(call));
  }
  return tokens[1].text;
}

bool opens(const std::string& word) {
  return word == "if" || word == "with" || word == "range";
}

}  // namespace

std::string go_first_word(const GoPiece& piece) {
  if (!piece.action) return {};
  const std::string_view text = trim(piece.text);
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  return {text.begin(), std::find_if_not(text.begin(), text.end(), is_letter)};
}

GoTemplates go_definitions(std::vector<GoPiece>& pieces, std::string& problem) {
  GoTemplates templates;
  std::vector<std::vector<GoPiece>> outs(1);
  std::vector<std::optional<std::string>> open;  // the name of a template; nothing for if, with and range
  for (GoPiece& piece : pieces) {
    const std::string word = go_first_word(piece);
    if (word == "define" || word == "block") {
      if (word == "define" && !open.empty()) problem = "\"define\" stands inside of another action";
      open.emplace_back(definition(piece, word == "block", outs.back(), problem));
      outs.emplace_back();
      continue;
    }
    if (opens(word)) open.emplace_back();
    if (word == "end") {
      if (open.empty()) problem = "there is an {{ end }} too much";
      if (!problem.empty()) return templates;
      const auto name = std::exchange(open.back(), std::nullopt);
      open.pop_back();
      if (name) {
        if (!templates.emplace(*name, std::move(outs.back())).second)
          problem = fmt::format("there are two templates \"{}\"", *name);
        outs.pop_back();
        continue;
      }
    }
    outs.back().push_back(std::move(piece));
  }
  if (!open.empty() && problem.empty()) problem = "an action has no {{ end }}";
  pieces = std::move(outs.front());
  return templates;
}

}  // namespace kiln::tmpl
