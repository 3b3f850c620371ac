// Canonical form: a table of small cases, what must always hold, and the real Packer's fmt beside ours over every
// template here and mangled copies of them.
#include <gtest/gtest.h>

#include <random>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "template/format.h"
#include "template/format_tokens.h"
#include "template/parser.h"

namespace kiln::tmpl {
namespace {

bool parses(const std::string& text) {
  const SourceFile file("t", text);
  Diagnostics diagnostics;
  parse_body(file, diagnostics);
  return !has_errors(diagnostics);
}

struct Case {
  const char *written, *canonical;
};

constexpr Case kCases[] = {
    {"a=1\nbb = 2\n", "a  = 1\nbb = 2\n"},
    {"a=1\n\nbb=2\n", "a = 1\n\nbb = 2\n"},
    {"a=1#x\nbb=22 # y\n", "a  = 1  #x\nbb = 22 # y\n"},
    {"a = 1 /* x */\n", "a = 1 /* x */\n"},
    {"b \"x\"   {\na=1\n}\n", "b \"x\" {\n  a = 1\n}\n"},
    {"b{\n}\n", "b {\n}\n"},
    {"b {a=1}\n", "b { a = 1 }\n"},
    {"b { }\n", "b {}\n"},
    {"a = [1,2 ,3]\n", "a = [1, 2, 3]\n"},
    {"a = [ 1 ]\nbb = [\n1,\n]\n", "a = [1]\nbb = [\n  1,\n]\n"},
    {"a = f ( 1 , 2 ... )\n", "a = f(1, 2...)\n"},
    {"a = x . y [ 0 ] [ * ] . z\n", "a = x.y[0][*].z\n"},
    {"a = - 1 + - 2 - 3*-4\n", "a = -1 + -2 - 3 * -4\n"},
    {"a = ! b&&c||d\n", "a = !b && c || d\n"},
    {"a = b?c:d\n", "a = b ? c : d\n"},
    {"a = [for x in [1]:x]\n", "a = [for x in [1] : x]\n"},
    {"a = {for k,v in m:k=>v}\n", "a = { for k, v in m : k => v }\n"},
    {"a = \"x${ b }y${~ {a=1} ~}\"\n", "a = \"x${b}y${~ { a = 1 } ~}\"\n"},
    {"a = \"${b} ${c}${d}\"\n", "a = \"${b} ${c}${d}\"\n"},
    {"a = \"%{ if b }c%{ endif }\"\n", "a = \"%{if b}c%{endif}\"\n"},
    {"a = \"$${ b }\"\n", "a = \"$${ b }\"\n"},
    {"a=<<EOT\n  x ${ b }\n  EOT\nbb=1\n", "a  = <<EOT\n  x ${b}\n  EOT\nbb = 1\n"},
    {"a = <<EOT\nx\n EOT \t\nbb=1\n", "a  = <<EOT\nx\n EOT \t\nbb = 1\n"},
    {"f = g(<<EOT\nx {\nEOT\n)\n", "f = g(<<EOT\nx {\nEOT\n)\n"},
    {"a = [{\nb = 1\n}, {\nc = 2\n}]\n", "a = [{\n  b = 1\n  }, {\n  c = 2\n}]\n"},
    {"a = (b\n+ c)\n", "a = (b\n+ c)\n"},
    {"    # x\na = 1 // y", "# x\na = 1 // y"},
    {"a = 1\r\nbb=2\r\n", "a  = 1\r\nbb = 2\r\n"},
    {"\xC3\xA4 = 1\nbb=2\n", "\xC3\xA4  = 1\nbb = 2\n"},
    {"a = 1\t\n\t\nb=2\n", "a = 1\n\nb = 2\n"},
    {"", ""},
};

TEST(FormatTest, CanonicalForm) {
  for (const Case& c : kCases) {
    EXPECT_TRUE(parses(c.written)) << c.written;
    EXPECT_EQ(formatted(c.written), c.canonical) << c.written;
    EXPECT_EQ(formatted(c.canonical), c.canonical) << "again";
  }
}

TEST(FormatTest, WhatDoesNotParseHasProblemsAndNoForm) {
  Diagnostics diagnostics;
  EXPECT_FALSE(format_file("t", "a = [\n", diagnostics));
  EXPECT_TRUE(has_errors(diagnostics));
}

std::vector<std::string> templates_here() {
  std::vector<std::string> out;
  for (const char* place : {"tests/spec", "images"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(KILN_SOURCE_DIR) / place)) {
      if (entry.path().extension() != ".hcl") continue;
      auto text = read_file(entry.path());
      if (text && parses(*text)) out.push_back(*text);
    }
  }
  for (const Case& c : kCases) out.emplace_back(c.written);
  return out;
}

bool is_word(const Piece& p) {
  return p.is(Tok::identifier) || p.is(Tok::number);
}

/// The same tokens with other spaces between them, comments and line ends added.
std::string mangled(const std::string& text, std::mt19937& random) {
  const SourceFile file("t", text);
  std::string out;
  const Piece* last = nullptr;
  std::vector<Piece> pieces;
  for (PieceReader reader(file); pieces.empty() || !pieces.back().is(Tok::end);) reader.next(pieces);
  const auto one_in = [&](std::uint32_t n) { return random() % n == 0; };
  for (const Piece& p : pieces) {
    const bool in_template =
        p.glyph == Glyph::literal || p.glyph == Glyph::quote_close || p.glyph == Glyph::heredoc_close ||
        (p.glyph == Glyph::sequence_open && last != nullptr && last->glyph != Glyph::sequence_open);
    if (!in_template) {
      if (p.is(Tok::newline) && one_in(12)) out += one_in(2) ? " # c" : "// d";
      if (one_in(40)) out += " /* e */";
      if (last != nullptr && last->is(Tok::comma) && one_in(8)) out += "\n";
      const bool joined = last != nullptr && is_word(*last) && is_word(p);
      out.append(one_in(3) ? random() % 4 : joined ? 1 : p.spaces, ' ');
      if (joined) out += ' ';
      if (p.is(Tok::newline) && one_in(20)) out += "\n";
    }
    out += p.text;
    last = &p;
  }
  return out;
}

std::vector<std::string> mangled_templates(std::size_t count) {
  std::mt19937 random(20261125);
  const auto seeds = templates_here();
  std::vector<std::string> out;
  for (std::size_t i = 0; out.size() < count && i < 10 * count; ++i) {
    std::string text = mangled(seeds[i % seeds.size()], random);
    if (parses(text)) out.push_back(std::move(text));
  }
  return out;
}

std::string without_space(const std::string& text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != ' ' && c != '\t'; });
  return out;
}

TEST(FormatTest, MangledTemplatesKeepTheirTextAndTheirForm) {
  for (const std::string& text : mangled_templates(300)) {
    const std::string once = formatted(text);
    EXPECT_TRUE(parses(once)) << text;
    EXPECT_EQ(without_space(once), without_space(text));
  }
}

TEST(FormatTest, AnyPrefixIsLaidOutWithoutHarm) {
  for (const std::string& text : templates_here()) {
    for (std::size_t n = 0; n < text.size(); n += 1 + text.size() / 200) {
      const std::string prefix = text.substr(0, n);
      EXPECT_EQ(without_space(formatted(prefix)), without_space(prefix));
    }
  }
}

/// Writes each text into its own file, lets the real packer format them all and reads them back; nothing without
/// packer.
std::optional<std::vector<std::string>> packer_formatted(const std::vector<std::string>& texts) {
  auto dir = TempDir::create("/var/tmp", "kiln-fmt");
  if (!dir) return std::nullopt;
  const auto path = [&](std::size_t i) { return (*dir).path() / fmt::format("{:04}.pkr.hcl", i); };
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!write_file_quick(path(i), texts[i])) return std::nullopt;
  }
  const char* search = std::getenv("PATH");
  const ProcessSpec spec{.argv = {"/bin/sh", "-c", "packer fmt \"$DIR\""},
                         .env = {{"DIR", (*dir).path()},
                                 {"CHECKPOINT_DISABLE", "1"},
                                 {"PATH", search ? search : "/usr/bin"},
                                 {"HOME", "/"}},
                         .timeout = Duration(120'000)};
  std::string said;
  const auto done = run_process(spec, Cancel(), [&](std::string_view text, bool) { said += std::string(text) + "\n"; });
  if (!done || (*done).exit_code == 127) return std::nullopt;
  EXPECT_EQ((*done).exit_code, 0) << said;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < texts.size(); ++i) out.push_back(*read_file(path(i)));
  return out;
}

/// "!" becomes "-": 1.6.6 puts a space behind "!", later ones do not.
std::string without_bang(std::string text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '!' && text[i + 1] != '=') text[i] = '-';
  }
  return text;
}

TEST(FormatTest, TheFormIsThatOfPacker) {
  std::vector<std::string> texts = templates_here();
  for (std::string& text : mangled_templates(700)) texts.push_back(std::move(text));
  std::transform(texts.begin(), texts.end(), texts.begin(), without_bang);
  const auto theirs = packer_formatted(texts);
  if (!theirs) GTEST_SKIP() << "packer is not installed";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(formatted(texts[i]), (*theirs)[i]) << texts[i];
  }
}

}  // namespace
}  // namespace kiln::tmpl
