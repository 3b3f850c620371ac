// Base references, by transport as skopeo users know them, and digests of directories.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/fd.h"
#include "base/text.h"
#include "plan/plan.h"

namespace kiln::plan {

Result<BaseRef> parse_base(std::string_view text) {
  static const std::vector<std::string> kTransports = {
      "bootstrap", "docker-archive", "docker-daemon", "oci-archive", "oci", "dir", "tar", "docker", "disk"};
  if (text.empty()) return error(Errc::bad_template, "the base is empty");
  BaseRef ref{std::string(text), "docker", std::string(text)};
  for (const std::string& transport : kTransports) {
    if (!text.starts_with(transport + ":")) continue;
    std::string_view rest = text.substr(transport.size() + 1);
    if (transport == "docker") {
      if (!rest.starts_with("//")) break;  // an image named docker with a tag
      rest.remove_prefix(2);
    }
    if (rest.empty()) return error(Errc::bad_template, "'{}' names no base after '{}:'", text, transport);
    ref.transport = transport;
    ref.location = std::string(rest);
    return ref;
  }
  if (text.starts_with("ami-") || text.starts_with("snap-")) ref.transport = "ebs";
  return ref;
}

namespace {

Result<> hash_entry(const fs::path& path, const std::string& name, Sha256& hash,
                    const std::function<Result<Digest>(const fs::path&)>& file_digest, std::uint32_t mode_bits);

Result<> hash_children(const fs::path& dir, const std::string& prefix, Sha256& hash,
                       const std::function<Result<Digest>(const fs::path&)>& file_digest, std::uint32_t mode_bits) {
  const Fd fd = TRY(open_dir(dir));
  for (const std::string& name : TRY(list_dir(fd.get()))) {
    const std::string path = prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
    TRY(hash_entry(dir / name, path, hash, file_digest, mode_bits));
  }
  return {};
}

Result<> hash_entry(const fs::path& path, const std::string& name, Sha256& hash,
                    const std::function<Result<Digest>(const fs::path&)>& file_digest, std::uint32_t mode_bits) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) return sys_error("stat {}", path);
  std::string content;
  if (S_ISREG(st.st_mode)) content = TRY(file_digest(path)).hex();
  if (S_ISLNK(st.st_mode)) content = TRY(read_link_at(AT_FDCWD, path.native()));
  const std::string line =
      fmt::format("{}:{} {:o} {}\n", name.size(), name, (st.st_mode & S_IFMT) | (st.st_mode & mode_bits), content);
  hash.update(line);
  if (S_ISDIR(st.st_mode)) return hash_children(path, name, hash, file_digest, mode_bits);
  return {};
}

}  // namespace

Result<Digest> tree_digest(const fs::path& path, const std::function<Result<Digest>(const fs::path&)>& file_digest,
                           std::uint32_t mode_bits) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return sys_error("stat {}", path);
  Sha256 hash;
  if (S_ISDIR(st.st_mode)) {
    hash.update("directory\n");
    TRY(hash_children(path, {}, hash, file_digest, mode_bits));
  } else {
    const std::string line = fmt::format("file {:o} {}\n", st.st_mode & mode_bits, TRY(file_digest(path)).hex());
    hash.update(line);
  }
  return hash.finish();
}

}  // namespace kiln::plan
