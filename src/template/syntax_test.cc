#include <gtest/gtest.h>

#include "template/parser.h"

namespace kiln::tmpl {
namespace {

std::size_t errors_in(const std::string& text) {
  const SourceFile file("test", text);
  Diagnostics problems;
  parse_expression(file, problems);
  return problems.size();
}

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

TEST(ParserTest, NestingIsLimited) {
  std::size_t deepest = 0;
  while (deepest < 2 * kMaxNesting && errors_in(nested(deepest + 1)) == 0) ++deepest;
  EXPECT_GT(deepest, kMaxNesting / 3);
  EXPECT_LE(deepest, kMaxNesting);
}

TEST(ParserTest, ChainsAreNotNesting) {
  std::string sum = "1";
  std::string path = "a";
  for (int i = 0; i < 20'000; ++i) sum += "+1", path += ".a";
  EXPECT_EQ(errors_in(sum), 0U);
  EXPECT_EQ(errors_in(path), 0U);
  EXPECT_EQ(errors_in(std::string(20'000, '-') + "1"), 0U);
}

TEST(ParserTest, DepthOfEveryFormIsLimited) {
  for (const auto& [open, middle, close] :
       std::vector<std::tuple<std::string, std::string, std::string>>{{"(", "1", ")"},
                                                                      {"{a=", "1", "}"},
                                                                      {"f(", "1", ")"},
                                                                      {"\"${", "1", "}\""},
                                                                      {"a[", "1", "]"},
                                                                      {"a ? b : ", "1", ""},
                                                                      {"a[*]", "", ""},
                                                                      {"[for x in ", "y", " : x]"},
                                                                      {"\"%{ if true }", "", "%{ endif }\""},
                                                                      {"\"%{ if true }${", "1", "}%{ endif }\""}}) {
    std::string text = middle;
    for (int i = 0; i < 5'000; ++i) text = fmt::format("{}{}{}", open, text, close);
    EXPECT_GE(errors_in(text), 1U) << open;
  }
}

TEST(ParserTest, ColumnsCountGraphemesAndBytesCountBytes) {
  const SourceFile file("test", "a = 1\nb = \"e\xCC\x81\xF0\x9F\x98\x80\" + ?\n");
  Diagnostics problems;
  parse_body(file, problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].subject->start, (Pos{2, 12, 22}));
}

TEST(ParserTest, EveryBadItemIsReportedAndGoodOnesAreKept) {
  const SourceFile file("test", "a = )\nb = 1\nc {\n d = ]\n e = 2\n}\nf = {\n x = @\n}\ng = 3\n");
  Diagnostics problems;
  const SyntaxBody body = parse_body(file, problems);
  EXPECT_EQ(problems.size(), 3U);
  EXPECT_TRUE(body.find("b") && body.find("g"));
  ASSERT_EQ(body.blocks.size(), 1U);
  EXPECT_TRUE(body.blocks[0].body.find("e"));
}

TEST(ParserTest, WindowsLineEndsAreLineEnds) {
  const SourceFile file("test", "a = 1\r\nb {\r\n  c = [\r\n    1,\r\n  ]\r\n}\r\nd = <<EOT\r\nx\r\nEOT\r\n");
  Diagnostics problems;
  const SyntaxBody body = parse_body(file, problems);
  EXPECT_TRUE(problems.empty()) << problems[0].summary << problems[0].subject->start.line;
  EXPECT_EQ(body.attributes.size(), 2U);
}

TEST(ParserTest, ErrorsOfOneFileAreLimited) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "a = )\n";
  const SourceFile file("test", text);
  Diagnostics problems;
  parse_body(file, problems);
  EXPECT_EQ(problems.size(), kMaxErrors);
}

TEST(DiagnosticTest, LongLinesAreCutAroundTheSubject) {
  const std::string text = "a = [" + std::string(500, '1') + ", nope]";
  const SourceFile file("f", text);
  const Diagnostic d{.summary = "S", .detail = "D", .subject = file.range({507, 511}), .context = {}};
  const std::string out = render(d, {{"f", text}});
  EXPECT_NE(out.find(std::string(58, '1') + ", nope]\n"), std::string::npos) << out;
  EXPECT_NE(out.find("\n" + std::string(6 + 60, ' ') + "^^^^\n"), std::string::npos) << out;
}

TEST(DiagnosticTest, ControlCharactersOfTheSourceAreMadeVisible) {
  const std::string text = "a = \x1b[31m";
  const SourceFile file("f", text);
  const std::string out = render({.summary = "S", .subject = file.range({4, 5}), .context = {}}, {{"f", text}});
  EXPECT_EQ(out.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace kiln::tmpl
