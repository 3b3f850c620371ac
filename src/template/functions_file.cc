// Functions of files and paths. Relative names start at the template's directory; what is read goes through World.
#include <set>

#include "base/fd.h"
#include "base/text.h"
#include "template/functions_support.h"
#include "template/path_glob.h"
#include "template/template.h"

namespace kiln::tmpl {

Result<FileKind> kind_of_file(const fs::path& path) {
  std::error_code problem;
  const fs::file_status link = fs::symlink_status(path, problem);
  const fs::file_status target = fs::status(path, problem);
  switch (target.type()) {
    case fs::file_type::not_found:
      return FileKind::missing;
    case fs::file_type::regular:
      return FileKind::file;
    case fs::file_type::directory:
      return fs::is_symlink(link) ? FileKind::linked_directory : FileKind::directory;
    case fs::file_type::none:
      return errno_error(problem.value(), fmt::format("stat {}", path));
    default:
      return FileKind::other;
  }
}

Result<std::vector<std::string>> names_in_directory(const fs::path& path) {
  const Fd dir = TRY(open_dir(path));
  return list_dir(dir.get());
}

namespace {

/// Go's filepath.Clean: no ".", no "..", no double slashes where that can be done by name alone.
std::string clean(std::string_view path) {
  std::vector<std::string> parts;
  const bool rooted = path.starts_with('/');
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !rooted) {
      parts.push_back(part);
    }
  }
  const std::string joined = (rooted ? "/" : "") + join(parts, "/");
  return joined.empty() ? "." : joined;
}

std::string joined(std::string_view base, std::string_view path) {
  return clean(base.empty() ? std::string(path) : fmt::format("{}/{}", base, path));
}

/// "~" and "~/x" below the home directory.
Result<std::string> expanded_home(const std::string& path, FunctionContext& context) {
  if (!path.starts_with('~')) return path;
  if (path.size() > 1 && path[1] != '/') return context.bad_argument(0, "cannot expand user-specific home directory");
  const auto home = context.world.env.find("HOME");
  if (home == context.world.env.end() || home->second.empty())
    return context.bad_argument(0, "cannot expand ~ because HOME is not set");
  return joined(home->second, path.substr(1));
}

/// The file that the argument names.
Result<std::string> resolved(Arguments a, FunctionContext& context) {
  const std::string path = TRY(expanded_home(a[0].text(), context));
  if (path.find('\0') != std::string::npos) return context.bad_argument(0, "a path has no null characters");
  return path.starts_with('/') ? clean(path) : joined(context.root.native(), path);
}

Result<std::string> content(Arguments a, FunctionContext& context) {
  const std::string path = TRY(resolved(a, context));
  auto text = context.world.read_file(path);
  if (!text && text.error().code() == Errc::not_found) return context.bad_argument(0, "no file exists at {}", path);
  if (!text) return context.bad_argument(0, "{}", text.error().text());
  return text;
}

Result<std::string> text_content(Arguments a, FunctionContext& context) {
  std::string text = TRY(content(a, context));
  if (!is_utf8(text))
    return context.bad_argument(0, "contents of {} are not valid UTF-8; use the filebase64 function instead",
                                a[0].text());
  return text;
}

Result<Value> file(Arguments a, FunctionContext& context) {
  const std::string text = TRY(text_content(a, context));
  return text_value(text);
}
Result<Value> filebase64(Arguments a, FunctionContext& context) {
  const std::string bytes = TRY(content(a, context));
  return text_value(base64_encoded(bytes));
}

Result<Value> fileexists(Arguments a, FunctionContext& context) {
  const std::string path = TRY(resolved(a, context));
  const FileKind kind = TRY(context.world.file_kind(path));
  if (kind == FileKind::missing) return Value::boolean(false);
  if (kind == FileKind::file) return Value::boolean(true);
  return context.bad_argument(0, "{} is not a regular file", path);
}

bool is_identifier(std::string_view s) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c < 0; };
  if (s.empty() || !letter(s[0])) return false;
  return std::all_of(s.begin(), s.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

Result<Value> templatefile(Arguments a, FunctionContext& context) {
  if (!context.render)
    return error(Errc::bad_template, "cannot recursively call templatefile from inside templatefile call");
  if (!is_mapping(a[1].type())) return context.bad_argument(1, "invalid vars value: must be a map");
  for (const auto& [name, v] : a[1].entries()) {
    if (!is_identifier(name))
      return context.bad_argument(
          1,
          "invalid template variable name \"{}\": must start with a letter, followed by zero or "
          "more letters, digits, and underscores",
          name);
  }
  const std::string text = TRY(text_content(a, context));
  return context.render(text, a[0].text(), a[1].entries());
}

/// A walk over the files that a pattern names.
class FileSet {
 public:
  explicit FileSet(const World& world) : world_(world) {}
  const std::set<std::string>& found() const { return found_; }

  /// Adds what matches parts[i..] below a directory; name is its path relative to where the walk began.
  Result<> walk(const std::string& directory, const std::string& name, std::span<const std::string> parts) {
    if (parts.empty()) return add(directory, name);
    if (is_literal(parts[0])) return walk(joined(directory, parts[0]), joined(name, parts[0]), parts.subspan(1));
    const bool any_depth = parts[0] == "**";
    if (any_depth) TRY(walk(directory, name, parts.subspan(1)));
    const FileKind kind = TRY(world_.file_kind(directory));
    if (kind != FileKind::directory && (any_depth || kind != FileKind::linked_directory)) return {};
    for (const std::string& entry : TRY(world_.list_names(directory))) {
      if (++seen_ > kMaxEntries)
        return error(Errc::bad_template, "the pattern leads through more than {} files", kMaxEntries);
      const std::string path = joined(directory, entry);
      if (any_depth) {
        TRY(below(path, joined(name, entry), parts));
      } else if (TRY(name_matches(parts[0], entry))) {
        TRY(walk(path, joined(name, entry), parts.subspan(1)));
      }
    }
    return {};
  }

 private:
  static constexpr std::size_t kMaxEntries = 100'000;
  static constexpr std::size_t kMaxDepth = 100;

  /// Goes on with "**" in what is a directory, or a file where "**" is the last part.
  Result<> below(const std::string& path, const std::string& name, std::span<const std::string> parts) {
    const FileKind kind = TRY(world_.file_kind(path));
    if (kind == FileKind::directory) {
      if (depth_ >= kMaxDepth) return error(Errc::bad_template, "more than {} directories deep", kMaxDepth);
      ++depth_;
      TRY(walk(path, name, parts));
      --depth_;
    } else if (parts.size() == 1 && kind == FileKind::file) {
      found_.insert(name);
    }
    return {};
  }

  Result<> add(const std::string& path, const std::string& name) {
    if (TRY(world_.file_kind(path)) == FileKind::file) found_.insert(name);
    return {};
  }

  const World& world_;
  std::set<std::string> found_;
  std::size_t seen_ = 0;
  std::size_t depth_ = 0;
};

Result<Value> fileset(Arguments a, FunctionContext& context) {
  const std::string& path = a[0].text();
  const std::string base = path.starts_with('/') ? clean(path) : joined(context.root.native(), path);
  FileSet files(context.world);
  for (const std::string& pattern : TRY(expand_braces(a[1].text()))) {
    const std::string cleaned = clean(pattern.starts_with('/') ? pattern.substr(1) : pattern);
    const std::vector<std::string> parts = split(cleaned, '/');
    TRY(files.walk(base, "", parts).context("matching {}", pattern));
  }
  Value::Elements out;
  for (const std::string& name : files.found()) out.push_back(Value::string(name));
  return Value::set(Type::string(), std::move(out));
}

Result<Value> abspath(Arguments a, FunctionContext& context) {
  const std::string& path = a[0].text();
  return text_value(path.starts_with('/') ? clean(path) : joined(context.world.cwd.native(), path));
}

Result<Value> basename(Arguments a, FunctionContext&) {
  std::string_view path = a[0].text();
  if (path.empty()) return text_value(".");
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return text_value(path == "/" ? path : path.substr(path.rfind('/') + 1));
}

Result<Value> dirname(Arguments a, FunctionContext&) {
  const std::string& path = a[0].text();
  return text_value(clean(path.substr(0, path.rfind('/') + 1)));
}

Result<Value> pathexpand(Arguments a, FunctionContext& context) {
  const std::string path = TRY(expanded_home(a[0].text(), context));
  return text_value(path);
}

Result<Value> env(Arguments a, FunctionContext& context) {
  if (!context.env_allowed)
    return error(Errc::bad_template,
                 "env() is only available in the default of a variable; declare a variable and use that");
  const auto it = context.world.env.find(a[0].text());
  return text_value(it == context.world.env.end() ? "" : it->second);
}

}  // namespace

void add_file_functions(FunctionTable& t) {
  const auto of_path = [](auto call, const Type& result) {
    return Function{.parameters = {text_parameter("path")}, .result = result, .call = call};
  };
  t["abspath"] = of_path(abspath, Type::string());
  t["basename"] = of_path(basename, Type::string());
  t["dirname"] = of_path(dirname, Type::string());
  t["file"] = of_path(file, Type::string());
  t["filebase64"] = of_path(filebase64, Type::string());
  t["fileexists"] = of_path(fileexists, Type::boolean());
  t["pathexpand"] = of_path(pathexpand, Type::string());
  t["fileset"] = {.parameters = {text_parameter("path"), text_parameter("pattern")},
                  .result = Type::set(Type::string()),
                  .call = fileset};
  t["templatefile"] = {.parameters = {text_parameter("path"), {.name = "vars", .allow_partial = true}},
                       .call = templatefile};
  t["env"] = {.parameters = {text_parameter("key")}, .result = Type::string(), .call = env};
}

}  // namespace kiln::tmpl
