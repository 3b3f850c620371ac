#include "image/disk/ext4_unpack.h"

#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "image/tar_reader.h"
#include "image/tree_builder.h"

namespace kiln::image {

namespace {

/// The stored bytes of a file, run after run.
class RunSource : public Source {
 public:
  RunSource(BlockReader& disk, std::vector<Ext4Run> runs) : disk_(disk), runs_(std::move(runs)) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    while (next_ < runs_.size() && done_ == runs_[next_].bytes) {
      ++next_;
      done_ = 0;
    }
    if (next_ == runs_.size()) return std::size_t{0};
    const Ext4Run& run = runs_[next_];
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), run.bytes - done_));
    TRY(disk_.read(run.disk_offset + done_, buffer.first(n)));
    done_ += n;
    return n;
  }

 private:
  BlockReader& disk_;
  std::vector<Ext4Run> runs_;
  std::size_t next_ = 0;
  std::uint64_t done_ = 0;
};

class Walk {
 public:
  Walk(Ext4Reader& from, TreeBuilder& builder, const Limits& limits, std::uint64_t stored_bytes)
      : from_(from), builder_(builder), limits_(limits), bytes_left_(limits.layer_bytes), stored_left_(stored_bytes) {}

  Result<std::uint64_t> run() {
    const Ext4Inode root = TRY(from_.inode(Ext4Reader::kRoot));
    if (!S_ISDIR(root.mode)) return error(Errc::corrupt, "ext4: the root is not a directory");
    TRY(add("", root).context("entry '/'"));
    while (!pending_.empty()) {
      const Pending directory = std::move(pending_.back());
      pending_.pop_back();
      const auto visit = [&](std::string_view name, std::uint32_t number) {
        return child(directory.path, name, number);
      };
      TRY(from_.list(directory.inode, visit).context("directory '/{}'", visible(directory.path)));
    }
    return entries_;
  }

 private:
  struct Pending {
    std::string path;
    Ext4Inode inode;
  };
  Result<> child(const std::string& parent, std::string_view name, std::uint32_t number) {
    const std::string path = parent.empty() ? std::string(name) : fmt::format("{}/{}", parent, name);
    return take(path, name, number).context("entry '/{}'", visible(path));
  }

  Result<> take(const std::string& path, std::string_view name, std::uint32_t number) {
    if (number < Ext4Reader::kFirstInode)
      return error(Errc::corrupt, "ext4: it leads to the reserved inode {}", number);
    const Ext4Inode inode = TRY(from_.inode(number));
    if (S_ISSOCK(inode.mode) || (path == "lost+found" && S_ISDIR(inode.mode))) return {};
    if (name.starts_with(kWhiteoutPrefix)) {
      return error(Errc::corrupt, "a name that begins with '{}', which layers have for what is removed",
                   kWhiteoutPrefix);
    }
    return add(TRY(clean_tar_path(path)), inode);
  }

  Result<> add(const std::string& path, const Ext4Inode& inode) {
    if (++entries_ > limits_.entries) return error(Errc::corrupt, "more than {} entries", limits_.entries);
    if (inode.uid == ~0U || inode.gid == ~0U) return error(Errc::corrupt, "an owner out of range");
    TarMember member{.path = path,
                     .type = tar_type_of(inode.mode),
                     .mode = inode.mode & 07777,
                     .uid = inode.uid,
                     .gid = inode.gid,
                     .mtime = inode.mtime,
                     .dev_major = inode.dev_major,
                     .dev_minor = inode.dev_minor};
    if (S_ISDIR(inode.mode)) return add_directory(std::move(member), inode);
    const bool can_link = S_ISREG(inode.mode) || S_ISLNK(inode.mode);
    if (can_link && inode.links > 1) {
      const auto [first, is_new] = first_names_.try_emplace(inode.number, path);
      if (!is_new) {
        member.type = TarType::hard_link;
        member.link = first->second;
        return add_member(member, {});
      }
    }
    if (S_ISLNK(inode.mode)) member.link = TRY(from_.link_text(inode));
    if (S_ISREG(inode.mode)) return add_file(std::move(member), inode);
    if (member.type == TarType::file) return error(Errc::corrupt, "ext4: inode {} has no type", inode.number);
    return add_member(member, {});
  }

  Result<> add_directory(TarMember member, const Ext4Inode& inode) {
    if (!seen_.insert(inode.number).second) {
      return error(Errc::corrupt, "ext4: the directory of inode {} has two names", inode.number);
    }
    member.xattrs = TRY(from_.attributes(inode));
    TRY(add_member(member, {}));
    pending_.push_back({member.path, inode});
    return {};
  }

  Result<> add_file(TarMember member, const Ext4Inode& inode) {
    if (inode.size > bytes_left_) return error(Errc::corrupt, "its size of {} bytes is over the limit", inode.size);
    bytes_left_ -= inode.size;
    member.size = inode.size;
    member.xattrs = TRY(from_.attributes(inode));
    std::vector<Ext4Run> runs = TRY(from_.runs(inode));
    member.sparse = true;
    for (const Ext4Run& run : runs) {
      if (run.bytes > stored_left_)
        return error(Errc::corrupt, "files have more content than their disk can hold: a bomb");
      stored_left_ -= run.bytes;
      member.extents.push_back({run.offset, run.bytes});
    }
    return add_member(member, std::move(runs));
  }

  Result<> add_member(const TarMember& member, std::vector<Ext4Run> runs) {
    RunSource content(from_.disk(), std::move(runs));
    return builder_.add(member, content);
  }

  Ext4Reader& from_;
  TreeBuilder& builder_;
  const Limits& limits_;
  std::uint64_t bytes_left_, stored_left_, entries_ = 0;
  std::vector<Pending> pending_;            // directories whose entries are still to come
  std::unordered_set<std::uint32_t> seen_;  // directories
  std::unordered_map<std::uint32_t, std::string> first_names_;
};

}  // namespace

Result<std::uint64_t> unpack_ext4(Ext4Reader& from, const fs::path& tree, const Limits& limits,
                                  std::uint64_t stored_bytes, const Cancel& cancel) {
  auto builder = TRY(TreeBuilder::create(tree, limits.layer_bytes, cancel));
  const std::uint64_t entries = TRY(Walk(from, builder, limits, stored_bytes).run());
  TRY(builder.finish());
  return entries;
}

}  // namespace kiln::image
