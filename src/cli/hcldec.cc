#include "cli/hcldec.h"

#include <fmt/core.h>

#include <cstdio>

#include "base/file.h"
#include "base/text.h"
#include "template/hcldec.h"

namespace kiln::cli {

namespace {

constexpr int kDiagnostics = 2;  // hcldec's exit code for problems of the input

struct Flags {
  tmpl::HcldecOptions options;
  bool json_diagnostics = false;
};

class FlagReader {
 public:
  explicit FlagReader(const std::vector<std::string>& argv) : argv_(argv) {}
  Result<Flags> read();

 private:
  Result<> flag(const std::string& arg);
  Result<std::string> value(const std::string& name, std::size_t equals, const std::string& arg);
  const std::vector<std::string>& argv_;
  std::size_t at_ = 0;
  Flags flags_;
};

/// What stands behind "=", or the next argument.
Result<std::string> FlagReader::value(const std::string& name, std::size_t equals, const std::string& arg) {
  if (equals != std::string::npos) return arg.substr(equals + 1);
  if (at_ >= argv_.size()) return error(Errc::usage, "{} needs a value", name);
  return argv_[at_++];
}

Result<> FlagReader::flag(const std::string& arg) {
  const std::size_t equals = arg.find('=');
  const std::string name = arg.substr(0, equals);
  tmpl::HcldecOptions& o = flags_.options;
  if (name == "--spec" || name == "-s") {
    o.spec = TRY(value(name, equals, arg));
  } else if (name == "--vars" || name == "-V") {
    o.vars.push_back(TRY(value(name, equals, arg)));
  } else if (name == "--diags") {
    if (TRY(value(name, equals, arg)) != "json") return error(Errc::usage, "--diags can only be json");
    flags_.json_diagnostics = true;
  } else if (arg == "--with-type") {
    o.with_type = true;
  } else if (arg == "--keep-nulls") {
    o.keep_nulls = true;
  } else if (arg == "--var-refs") {
    o.var_refs = true;
  } else {
    return error(Errc::usage, "hcldec has no flag {}", arg);
  }
  return {};
}

Result<Flags> FlagReader::read() {
  std::vector<std::string> inputs;
  while (at_ < argv_.size()) {
    const std::string& arg = argv_[at_++];
    if (arg.size() > 1 && arg[0] == '-') {
      TRY(flag(arg));
    } else {
      inputs.push_back(arg);
    }
  }
  if (flags_.options.spec.empty()) return error(Errc::usage, "the flag --spec=FILE is required");
  if (inputs.size() != 1) return error(Errc::usage, "exactly one input is needed, not {}", inputs.size());
  flags_.options.input = inputs[0];
  return flags_;
}

void print_diagnostics(const tmpl::Hcldec& result, bool json) {
  if (result.diagnostics.empty()) return;
  std::string text = json ? tmpl::diagnostics_json(result.diagnostics) + "\n" : "";
  if (!json) {
    for (const tmpl::Diagnostic& d : result.diagnostics) text += tmpl::render(d, result.sources);
  }
  fmt::print(stderr, "{}", text);
}

Result<int> run(const std::vector<std::string>& argv, const Environment& environment) {
  const Flags flags = TRY(FlagReader(argv).read());
  const tmpl::World world{.read_file = [](const fs::path& p) { return read_file(p); },
                          .env = environment.variables,
                          .cwd = environment.cwd};
  const tmpl::Hcldec result = TRY(tmpl::hcldec(flags.options, world));
  const bool failed = tmpl::has_errors(result.diagnostics);
  if (failed) print_diagnostics(result, flags.json_diagnostics);
  if (!failed) fmt::print("{}\n", result.output);
  return failed ? kDiagnostics : kOk;
}

}  // namespace

int hcldec(const std::vector<std::string>& argv, const Environment& environment) {
  const auto code = run(argv, environment);
  if (code) return *code;
  fmt::print(stderr, "Error: {}\n\n", visible(code.error().text(), true));
  return kFailed;
}

}  // namespace kiln::cli
