// kiln fmt: puts templates and variable files into canonical form.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/line_diff.h"
#include "cli/session.h"
#include "template/format.h"

namespace kiln::cli {

namespace {

bool is_formattable(const fs::path& path) {
  const std::string name = path.filename();
  return name.ends_with(".pkr.hcl") || name.ends_with(".pkrvars.hcl");
}

/// Hidden files and what editors leave behind.
bool is_ignored(const std::string& name) {
  return name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
}

struct Tally {
  bool changed = false, failed = false;
};

class Formatting {
 public:
  explicit Formatting(const Args& args) : args_(args) {}

  Result<> path(const fs::path& path) {
    if (path == "-") return standard_input();
    std::error_code ec;
    if (!fs::exists(path, ec)) return error(Errc::not_found, "{}: no such file or directory", path);
    if (fs::is_directory(path, ec)) return directory(path);
    if (!is_formattable(path)) return error(Errc::usage, "{}: neither a .pkr.hcl nor a .pkrvars.hcl file", path);
    return file(path);
  }

  Tally tally;

 private:
  Result<> directory(const fs::path& path) {
    std::error_code ec;
    std::vector<std::string> names = TRY(tmpl::names_in_directory(path));
    for (const std::string& name : names) {
      if (is_ignored(name)) continue;
      const fs::path inside = (path / name).lexically_normal();
      const auto kind = TRY(tmpl::kind_of_file(inside));
      if (kind == tmpl::FileKind::directory && args_.recursive) TRY(directory(inside));
      if (kind == tmpl::FileKind::file && is_formattable(inside)) TRY(file(inside));
    }
    return {};
  }

  Result<> file(const fs::path& path) {
    const std::string text = TRY(read_file(path));
    const auto better = format(path.native(), text);
    if (!better || *better == text) return {};
    tally.changed = true;
    fmt::print("{}\n", visible(path.native()));
    if (args_.write && !args_.check) TRY(replace(path, *better).context("writing {}", path));
    if (args_.diff) fmt::print("{}", line_diff(text, *better, path.native()));
    return {};
  }

  /// The text is written in any case but that of -check, also when it was good already.
  Result<> standard_input() {
    std::string text;
    char buffer[65536];
    for (ssize_t n = 1; n > 0;) {
      n = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (n < 0 && errno != EINTR) return sys_error("read standard input");
      if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
      if (text.size() > kMaxStdinBytes) return error(Errc::usage, "standard input: more than 16 MiB");
    }
    const auto better = format("-", text);
    if (!better) return {};
    tally.changed = tally.changed || *better != text;
    if (args_.write && !args_.check) fmt::print("{}", *better);
    return {};
  }

  std::optional<std::string> format(const std::string& name, const std::string& text) {
    tmpl::Diagnostics diagnostics;
    auto better = tmpl::format_file(name, text, diagnostics);
    for (const tmpl::Diagnostic& d : diagnostics) fmt::print("{}\n", tmpl::render(d, {{name, text}}));
    tally.failed = tally.failed || !better;
    return better;
  }

  /// Through links, and with the mode that the file has.
  static Result<> replace(const fs::path& path, const std::string& text) {
    std::error_code ec;
    const fs::path target = fs::canonical(path, ec);
    struct stat status {};
    if (ec || ::stat(target.c_str(), &status) < 0) return sys_error("find {}", path);
    return write_file_quick(target, text, status.st_mode & 07777U);
  }

  const Args& args_;
};

}  // namespace

Result<int> format(const Args& args) {
  if (args.rest.empty()) return error(Errc::usage, "fmt needs a file, a directory, or - for standard input");
  Formatting formatting(args);
  for (const std::string& path : args.rest) TRY(formatting.path(path));
  if (formatting.tally.failed) return kFailed;
  return args.check && formatting.tally.changed ? kWouldChange : kOk;
}

}  // namespace kiln::cli
