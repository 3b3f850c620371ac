// Every function against tables of calls (testdata/functions/NAME.txt: an expression, below it what it gives), and the
// same tables against real Packer.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"
#include "support/golden.h"
#include "template/evaluate.h"
#include "template/functions_support.h"
#include "template/parser.h"
#include "template/test_packer.h"
#include "template/test_show.h"

namespace kiln::tmpl {
namespace {

/// Evaluates expressions in a small world with some unknown names and a sensitive one.
class Bench {
 public:
  Bench() {
    world_.read_file = [](const fs::path& path) { return read_file(path); };
    world_.env = {{"HOME", "/home/ann"}, {"NAME", "value"}};
    world_.cwd = "/work dir";
    world_.now = 1'700'000'000;
    scope_.set("unknown", Value::unknown());
    scope_.set("ustr", Value::unknown(Type::string()));
    scope_.set("unum", Value::unknown(Type::number()));
    scope_.set("ulist", Value::unknown(Type::list(Type::string())));
    scope_.set("umap", Value::unknown(Type::map(Type::string())));
    scope_.set("secret", Value::string("s").marked(Marks::sensitive()));
  }

  Value value(const std::string& expression, Diagnostics& diagnostics, bool env_allowed = true) {
    const SourceFile file("test", expression);
    Evaluation evaluation{.world = &world_, .root = root_, .diagnostics = &diagnostics, .env_allowed = env_allowed};
    const ExprPtr expr = parse_expression(file, diagnostics);
    return expr ? evaluate(*expr, scope_, evaluation) : Value();
  }
  std::string answer(const std::string& expression, bool env_allowed = true) {
    Diagnostics diagnostics;
    const Value v = value(expression, diagnostics, env_allowed);
    if (diagnostics.empty()) return show(v);
    return "error: " + replace_all(diagnostics.front().detail, root_.native(), "ROOT");
  }

  /// What a call gives when its argument number `secret` is sensitive as a whole; nothing where it fails.
  std::optional<Value> with_secret(const SourceFile& file, const CallExpr& call, std::size_t secret) {
    Diagnostics diagnostics;
    std::string text;
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      const Value v = value(std::string(file.text(call.arguments[i]->span)), diagnostics);
      const std::string name = fmt::format("argument{}", i);
      scope_.set(name, i == secret ? v.marked(Marks::sensitive()) : v);
      text += (text.empty() ? "" : ", ") + name;
    }
    const Value result = value(fmt::format("{}({})", call.name, text), diagnostics);
    return diagnostics.empty() ? std::optional(result) : std::nullopt;
  }

  /// The expressions of a table.
  static std::vector<std::string> table(const std::string& name) {
    std::vector<std::string> out;
    std::ifstream file(fs::path(KILN_SOURCE_DIR) / "src/template/testdata/functions" / (name + ".txt"));
    for (std::string line; std::getline(file, line);) {
      if (!line.empty() && line[0] != ' ') out.push_back(line);
    }
    return out;
  }

 private:
  World world_;
  Scope scope_;
  fs::path root_ = fs::path(KILN_SOURCE_DIR) / "src/template/testdata/functions";
};

std::vector<std::string> all_tables() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(KILN_SOURCE_DIR) / "src/template/testdata/functions")) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  return names;
}

/// Whether a function takes arguments and can be called here.
bool has_secrets(const std::string& name, const Function& f) {
  const bool service = name == "vault" || name == "consul_key" || name.starts_with("aws_secretsmanager");
  if (name == "rsadecrypt") return false;  // needs a key and what was encrypted with it
  return !service && (!f.parameters.empty() || f.rest);
}

TEST(MarksTest, ASensitiveArgumentMakesTheResultOfEveryFunctionSensitive) {
  Bench bench;
  std::set<std::string> tried;
  std::size_t calls = 0;
  std::vector<std::string> expressions = {"base64gzip(\"a\")", "bcrypt(\"a\", 4)"};  // of which no table can tell
  for (const std::string& table : all_tables()) {
    for (const std::string& expression : Bench::table(table)) expressions.push_back(expression);
  }
  for (const std::string& expression : expressions) {
    Diagnostics ignored;
    const SourceFile file("test", expression);
    const ExprPtr expr = parse_expression(file, ignored);
    const auto* call = expr ? std::get_if<CallExpr>(&expr->node) : nullptr;
    if (call == nullptr || call->expand || !functions().contains(call->name)) continue;
    for (std::size_t i = 0; i < call->arguments.size(); ++i) {
      const auto result = bench.with_secret(file, *call, i);
      if (!result || (call->name == "lookup" && i == 2)) continue;  // a default that may not be used
      tried.insert(call->name);
      ++calls;
      EXPECT_TRUE(result->is_sensitive()) << expression << ", argument " << i;
    }
  }
  EXPECT_GT(calls, 500U);
  for (const auto& [name, function] : functions()) {
    if (has_secrets(name, function)) {
      EXPECT_TRUE(tried.contains(name)) << name;
    }
  }
}

std::string test_name(const testing::TestParamInfo<const char*>& info) {
  return info.param;
}

class FunctionTableTest : public testing::TestWithParam<const char*> {};

TEST_P(FunctionTableTest, GivesWhatTheTableSays) {
  Bench bench;
  std::string text;
  for (const std::string& expression : Bench::table(GetParam()))
    text += expression + "\n    " + bench.answer(expression) + "\n";
  expect_golden(fmt::format("functions/{}.txt", GetParam()), text);
}

INSTANTIATE_TEST_SUITE_P(Functions, FunctionTableTest,
                         testing::Values("number", "string", "regex", "format", "collection", "encoding", "yaml",
                                         "date", "file", "hash", "network", "newer", "secret"),
                         test_name);

/// All calls in one expression: a JSON text with a list of one JSON text for each, or an empty list for an error.
std::string together(const std::vector<std::string>& calls) {
  std::string out = "jsonencode([";
  for (const std::string& call : calls) out += "try([jsonencode(" + call + ")], []), ";
  return out + "])";
}

/// Whether a call uses a name that only the bench knows.
bool is_ours(const std::string& call) {
  constexpr std::array<std::string_view, 6> kNames = {"ustr", "unum", "ulist", "umap", "unknown", "secret"};
  return std::any_of(kNames.begin(), kNames.end(), [&](auto name) { return call.find(name) != std::string::npos; });
}

/// Debian's Packer 1.6.6. The tables regex, newer, secret and file are not for it: what it lacks (regex), what later
/// versions answer differently (newer), what needs our world.
class PackerTest : public testing::TestWithParam<const char*> {};

TEST_P(PackerTest, AnswersTheSame) {
  std::vector<std::string> calls = Bench::table(GetParam());
  std::erase_if(calls, is_ours);
  const auto theirs = packer_console(together(calls));
  if (!theirs) GTEST_SKIP() << "no packer on this machine";
  const auto wanted = parse_json(*theirs);
  ASSERT_TRUE(wanted) << *theirs;
  Diagnostics diagnostics;
  const Value ours = Bench().value(together(calls), diagnostics);
  ASSERT_TRUE(diagnostics.empty()) << diagnostics.front().detail;
  const auto got = parse_json(ours.text());
  ASSERT_TRUE(got && (*got).size() == calls.size() && (*wanted).size() == calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) EXPECT_EQ((*got)[i], (*wanted)[i]) << calls[i];
}

INSTANTIATE_TEST_SUITE_P(Functions, PackerTest,
                         testing::Values("number", "string", "format", "collection", "encoding", "yaml", "date", "hash",
                                         "network"),
                         test_name);

TEST(FunctionsTest, EnvIsForDefaultsOfVariables) {
  EXPECT_NE(Bench().answer("env(\"NAME\")", false).find("only available in the default"), std::string::npos);
}

TEST(FunctionsTest, RandomOnesDifferAndHaveTheirForm) {
  Bench bench;
  EXPECT_NE(bench.answer("uuidv4()"), bench.answer("uuidv4()"));
  EXPECT_EQ(bench.answer("length(regexall(\"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$\", "
                         "uuidv4()))"),
            "1");
  EXPECT_EQ(bench.answer("length(regexall(\"^[$]2a[$]04[$][./A-Za-z0-9]{53}$\", bcrypt(\"x\", 4)))"), "1");
  EXPECT_NE(bench.answer("bcrypt(\"x\", 19)").find("at most 18"), std::string::npos);
}

/// The output of a shell command in a directory; empty when it ends badly.
std::string shell(const std::string& command, const fs::path& directory) {
  const ProcessSpec spec{.argv = {"sh", "-ec", command}, .env = {{"PATH", "/usr/bin:/bin"}}, .cwd = directory};
  std::string out;
  const Cancel cancel;
  const auto result = run_process(spec, cancel, [&](std::string_view line, bool) { out += std::string(line) + "\n"; });
  return result && (*result).exit_code == 0 ? out : std::string();
}

TEST(FunctionsTest, DecryptsWhatOpensslEncrypted) {
  if (!fs::exists("/usr/bin/openssl")) GTEST_SKIP() << "no openssl on this machine";
  const auto dir = TempDir::create(fs::temp_directory_path(), "rsa");
  ASSERT_TRUE(dir);
  const fs::path& at = (*dir).path();
  ASSERT_NE(
      shell("openssl genrsa -traditional -out key.pem 1024 2>&1; openssl rsa -in key.pem -pubout -out public.pem 2>&1;"
            "printf 'a secret' | openssl pkeyutl -encrypt -pubin -inkey public.pem | base64 -w0 > cipher; echo done",
            at),
      "");
  const std::string call = fmt::format("rsadecrypt(file(\"{0}/cipher\"), file(\"{0}/key.pem\"))", at);
  EXPECT_EQ(Bench().answer(call), "\"a secret\"");
  EXPECT_NE(Bench().answer(fmt::format("rsadecrypt(\"AAAA\", file(\"{}/key.pem\"))", at)).find("decryption error"),
            std::string::npos);
  EXPECT_NE(Bench().answer("rsadecrypt(\"AAAA\", \"x\")").find("no RSA private key"), std::string::npos);
}

TEST(FunctionsTest, Base64gzipIsReadByGzip) {
  const std::string text = Bench().answer("base64gzip(\"hello hello hello\")");
  EXPECT_EQ(shell("printf %s " + text + " | base64 -d | gzip -dc", "/"), "hello hello hello\n");
}

TEST(FunctionsTest, BcryptIsCheckedByCrypt) {
  const std::string hash = Bench().answer("bcrypt(\"pass\", 5)");
  const std::string check = "python3 -W ignore -c 'import crypt, sys; print(crypt.crypt(\"pass\", sys.argv[1]))' ";
  if (!fs::exists("/usr/bin/python3")) GTEST_SKIP() << "no python3 on this machine";
  EXPECT_EQ("\"" + std::string(trim(shell(check + shell_quote(hash.substr(1, hash.size() - 2)), "/"))) + "\"", hash);
}

TEST(FunctionsTest, WorkIsRefusedBeforeItIsDone) {
  Bench bench;
  for (const char* call : {
           "format(\"%1000001s\", \"x\")",
           "format(\"%.10001f\", 1)",
           "indent(9000000000, \"a\\nb\")",
           "range(1e9)",
           "split(\"\", format(\"%1000000s%s\", \"x\", \"y\"))",
           "setproduct(range(1024), range(1024))",
           "replace(format(\"%500000s\", \"x\"), \"\", format(\"%1000s\", \"y\"))",
           "yamldecode(\"a: &a [x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c "
           "[*b,*b,*b,*b,*b,*b,*b,*b,*b]"
           "\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: &f "
           "[*e,*e,*e,*e,*e,*e,*e,*e,*e]"
           "\\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\")",
           "jsondecode(format(\"%0201d\", 1))",
           "jsondecode(replace(format(\"%300s\", \"\"), \" \", \"[\"))",
           "yamldecode(replace(format(\"%300s\", \"\"), \" \", \"[\"))",
       }) {
    EXPECT_EQ(bench.answer(call).substr(0, 6), "error:") << call;
  }
}

}  // namespace
}  // namespace kiln::tmpl
