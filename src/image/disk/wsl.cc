// A root file system for the Windows Subsystem for Linux: a tar of the tree in gzip, without what only a machine of its
// own needs. What is written of it: docs/formats/wsl.md.
#include <sys/sysmacros.h>

#include "base/text.h"
#include "image/disk/formats.h"
#include "image/disk/plain_tree.h"
#include "image/gzip_sink.h"
#include "image/tar_header.h"

namespace kiln::image {

namespace {

constexpr std::string_view kConfigPath = "etc/wsl.conf", kMachineIdPath = "etc/machine-id";
constexpr std::string_view kConfig = "[boot]\nsystemd=true\n";

/// Directories whose content belongs to a kernel, which WSL brings.
const std::vector<std::string> kLeftOut = {"boot", "lib/modules", "usr/lib/modules"};

/// Writes a tree as a tar, names sorted, a directory before what it holds.
class TreeTar {
 public:
  TreeTar(const Ext4Tree& tree, Sink& out, const Cancel& cancel) : tree_(tree), out_(out), cancel_(cancel) {}

  Result<> write() {
    TarMember root = described("", tree_.nodes.front());
    root.mtime = 0;  // says when an entry was last added: no part of the content
    TRY(put(root));
    TRY(write_entries("", tree_.nodes.front()));
    return out_.write(std::string(2 * kTarBlock, '\0'));
  }

 private:
  Result<> put(const TarMember& member) { return out_.write(render_tar_header(member)); }

  Result<> put_text(TarMember member, std::string_view text) {
    member.size = text.size();
    TRY(put(member));
    TRY(out_.write(text));
    return out_.zeros(tar_padding(text.size()));
  }

  TarMember described(const std::string& path, const Ext4Node& node) const {
    TarMember member{.path = path, .type = tar_type_of(node.mode), .mode = node.mode & 07777};
    member.uid = node.uid;
    member.gid = node.gid;
    member.mtime = node.mtime;
    member.xattrs = tree_.attributes[node.attributes];
    return member;
  }

  Result<> write_entries(const std::string& path, const Ext4Node& directory) {
    for (const Ext4Name& entry : directory.entries) {
      TRY(cancel_.check());
      const Ext4Node& node = tree_.nodes[entry.node];
      const std::string name = path.empty() ? entry.name : path + "/" + entry.name;
      TRY(write_entry(name, node).context("{}", visible(name)));
      if (S_ISDIR(node.mode)) TRY(write_entries(name, node));
      has_config_ = has_config_ || name == kConfigPath;
    }
    if (path == "etc" && !has_config_) return put_text({.path = std::string(kConfigPath), .mode = 0644}, kConfig);
    return {};
  }

  Result<> write_entry(const std::string& path, const Ext4Node& node) {
    if (S_ISSOCK(node.mode)) return {};  // means nothing without the process that listens
    TarMember member = described(path, node);
    if (path != node.path) {
      member.type = TarType::hard_link;
      member.link = node.path;
      member.xattrs.clear();
      return put(member);
    }
    if (S_ISLNK(node.mode)) member.link = node.text;
    if (S_ISCHR(node.mode) || S_ISBLK(node.mode)) {
      member.dev_major = major(node.rdev);
      member.dev_minor = minor(node.rdev);
    }
    if (path == kMachineIdPath && S_ISREG(node.mode)) return put_text(member, "");
    return S_ISREG(node.mode) ? write_file(member, node) : put(member);
  }

  Result<> write_file(TarMember& member, const Ext4Node& node) {
    member.size = node.bytes;
    TRY(put(member));
    TRY(read_content(tree_, node, cancel_, [this](auto bytes) { return out_.write(bytes); }));
    return out_.zeros(tar_padding(node.bytes));
  }

  const Ext4Tree& tree_;
  Sink& out_;
  const Cancel& cancel_;
  bool has_config_ = false;
};

class WslWriter : public DiskWriter {
 public:
  WslWriter(Ext4Tree tree, Sink& out, const DiskWriting& how) : tree_(std::move(tree)), out_(out), how_(how) {}
  bool takes_chunks() const override { return false; }
  Result<> finish() override {
    const auto gzip = TRY(GzipSink::start(out_, how_.threads));
    TRY(TreeTar(tree_, *gzip, how_.cancel).write());
    TRY(gzip->finish());
    return {};
  }

 private:
  Ext4Tree tree_;
  Sink& out_;
  const DiskWriting& how_;
};

}  // namespace

Result<std::unique_ptr<DiskWriter>> start_wsl(const Disk& disk, DiskOutput& out, const DiskWriting& how) {
  std::vector<fs::path> layers = disk.layers;
  if (!layers.empty()) layers.pop_back();  // the newest one makes the tree boot
  if (layers.empty()) return error(Errc::usage, "there is no tree for WSL below the disk's boot layer");
  return std::make_unique<WslWriter>(TRY(scan_plain_tree(layers, kLeftOut)), out, how);
}

}  // namespace kiln::image
