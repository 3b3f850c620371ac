// squashfs of the tree: content first, then the inodes, a directory's after those of what it holds. What is written of
// it: docs/formats/squashfs.md.
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"
#include "image/disk/formats.h"
#include "image/disk/plain_tree.h"
#include "image/disk/squashfs_file.h"

namespace kiln::image {

namespace {

using namespace squashfs;

constexpr std::size_t kBlock = 128 << 10;    // bytes
constexpr std::uint32_t kSquashfsLevel = 6;  // of zstd
constexpr std::size_t kPadded = 4096;        // the file is whole blocks of a device
constexpr std::uint32_t kNone = 0xFFFFFFFF;

/// Attributes of other kinds (ACLs) have no place in the format.
bool is_held(std::string_view name) {
  return name.starts_with("user.") || name.starts_with("trusted.") || name.starts_with("security.");
}

int type_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFCHR:
      return SQFS_INODE_CDEV;
    case S_IFBLK:
      return SQFS_INODE_BDEV;
    case S_IFIFO:
      return SQFS_INODE_FIFO;
    default:
      return SQFS_INODE_SOCKET;
  }
}

/// Memory that the library may free.
Inode new_inode(int type, std::string_view extra = {}) {
  Inode inode(static_cast<sqfs_inode_generic_t*>(std::calloc(1, sizeof(sqfs_inode_generic_t) + extra.size() + 1)));
  if (!inode) std::abort();
  inode->base.type = static_cast<sqfs_u16>(type);
  inode->payload_bytes_available = inode->payload_bytes_used = static_cast<sqfs_u32>(extra.size());
  std::ranges::copy(extra, reinterpret_cast<char*>(inode->extra));
  return inode;
}

class FileSystem {
 public:
  FileSystem(const Ext4Tree& tree, DiskOutput& out, const DiskWriting& how)
      : tree_(tree), how_(how), file_(out), inodes_(tree.nodes.size()), numbers_(tree.nodes.size()) {}

  Result<> write() {
    TRY(start());
    TRY(write_content());
    TRY(write_inodes());
    TRY(file_.said(sqfs_frag_table_write(fragments_.get(), file_.get(), &super_, compressor_.get())));
    TRY(file_.said(sqfs_id_table_write(ids_.get(), file_.get(), &super_, compressor_.get())));
    TRY(file_.said(sqfs_xattr_writer_flush(attributes_.get(), file_.get(), &super_, compressor_.get())));
    super_.bytes_used = file_.bytes();
    TRY(file_.zeros((kPadded - file_.bytes() % kPadded) % kPadded));
    return file_.said(sqfs_super_write(&super_, file_.get()));
  }

 private:
  Result<> start() {
    sqfs_compressor_config_t config;
    TRY(file_.said(sqfs_compressor_config_init(&config, SQFS_COMP_ZSTD, kBlock, 0)));
    config.level = kSquashfsLevel;
    sqfs_compressor_t* compressor = nullptr;
    TRY(file_.said(sqfs_compressor_create(&config, &compressor)));
    compressor_.reset(compressor);
    TRY(file_.said(sqfs_super_init(&super_, kBlock, 0, SQFS_COMP_ZSTD)));
    TRY(file_.said(sqfs_super_write(&super_, file_.get())));
    const int options = compressor->write_options(compressor, file_.get());
    TRY(file_.said(options));
    if (options > 0) super_.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
    fragments_.reset(sqfs_frag_table_create(0));
    ids_.reset(sqfs_id_table_create(0));
    attributes_.reset(sqfs_xattr_writer_create(0));
    return {};
  }

  /// The library compresses on several threads and puts blocks in order. It finds no duplicates: for that it would
  /// read what it wrote.
  Result<> write_content() {
    const Owned<sqfs_block_writer_t> writer(sqfs_block_writer_create(file_.get(), kPadded, 0));
    const unsigned threads = std::max(1U, how_.threads);
    const Owned<sqfs_block_processor_t> blocks(sqfs_block_processor_create(
        kBlock, compressor_.get(), threads, std::size_t{10} * threads, writer.get(), fragments_.get()));
    std::vector<sqfs_inode_generic_t*> made(tree_.nodes.size());  // the library fills them until finish()
    Result<> done;
    for (std::size_t i = 0; i < tree_.nodes.size() && done; ++i)
      if (S_ISREG(tree_.nodes[i].mode)) done = write_file(*blocks, tree_.nodes[i], made[i]);
    const int finished = sqfs_block_processor_finish(blocks.get());  // also after an error: else blocks are never freed
    if (done) done = file_.said(finished);
    for (std::size_t i = 0; i < made.size(); ++i) inodes_[i].reset(made[i]);
    return done;
  }

  Result<> write_file(sqfs_block_processor_t& blocks, const Ext4Node& node, sqfs_inode_generic_t*& inode) {
    TRY(file_.said(sqfs_block_processor_begin_file(&blocks, &inode, nullptr, SQFS_BLK_DONT_DEDUPLICATE)));
    const auto append = [&](std::span<const std::byte> bytes) {
      return file_.said(sqfs_block_processor_append(&blocks, bytes.data(), bytes.size()));
    };
    const Result<> read = read_content(tree_, node, how_.cancel, append).context("{}", visible(node.path));
    const int ended = sqfs_block_processor_end_file(&blocks);
    return read ? file_.said(ended) : read;
  }

  Result<> write_inodes() {
    number(0);
    const Owned<sqfs_meta_writer_t> table(sqfs_meta_writer_create(file_.get(), compressor_.get(), 0));
    const Owned<sqfs_meta_writer_t> entries(
        sqfs_meta_writer_create(file_.get(), compressor_.get(), SQFS_META_WRITER_KEEP_IN_MEMORY));
    const Owned<sqfs_dir_writer_t> directories(sqfs_dir_writer_create(entries.get(), 0));
    super_.inode_count = static_cast<sqfs_u32>(count_);
    super_.inode_table_start = file_.bytes();
    places_.assign(tree_.nodes.size(), kUnwritten);
    TRY(write_below(0, 0, {table.get(), directories.get()}));
    super_.root_inode_ref = places_.front();
    TRY(file_.said(sqfs_meta_writer_flush(table.get())));
    super_.directory_table_start = file_.bytes();
    TRY(file_.said(sqfs_meta_writer_flush(entries.get())));
    return file_.said(sqfs_meta_write_write_to_file(entries.get()));
  }

  /// In the order in which inodes are written: a directory after what it holds.
  void number(std::uint32_t index) {
    for (const Ext4Name& entry : tree_.nodes[index].entries)
      if (numbers_[entry.node] == 0) number(entry.node);
    numbers_[index] = ++count_;
  }

  struct Tables {
    sqfs_meta_writer_t* inodes;
    sqfs_dir_writer_t* directories;
  };

  /// An inode after those below it; a file's at its first name.
  Result<> write_below(std::uint32_t index, std::uint32_t parent, const Tables& tables) {
    const Ext4Node& node = tree_.nodes[index];
    for (const Ext4Name& entry : node.entries)
      if (places_[entry.node] == kUnwritten) TRY(write_below(entry.node, numbers_[index], tables));
    const std::uint32_t attributes = TRY(attributes_of(node));
    Inode inode = S_ISDIR(node.mode) ? TRY(directory(node, parent, attributes, tables)) : TRY(other(index));
    if (attributes != kNone) TRY(file_.said(sqfs_inode_set_xattr_index(inode.get(), attributes)));
    inode->base.mode = static_cast<sqfs_u16>(node.mode);
    inode->base.mod_time = static_cast<sqfs_u32>(std::clamp<std::int64_t>(node.mtime, 0, 0xFFFFFFFF));
    inode->base.inode_number = numbers_[index];
    TRY(file_.said(sqfs_id_table_id_to_index(ids_.get(), node.uid, &inode->base.uid_idx)));
    TRY(file_.said(sqfs_id_table_id_to_index(ids_.get(), node.gid, &inode->base.gid_idx)));
    sqfs_u64 block = 0;
    sqfs_u32 offset = 0;
    sqfs_meta_writer_get_position(tables.inodes, &block, &offset);
    places_[index] = block << 16 | offset;
    return file_.said(sqfs_meta_writer_write_inode(tables.inodes, inode.get()));
  }

  Result<std::uint32_t> attributes_of(const Ext4Node& node) {
    TRY(file_.said(sqfs_xattr_writer_begin(attributes_.get(), 0)));
    for (const auto& [name, value] : tree_.attributes[node.attributes]) {
      if (is_held(name))
        TRY(file_.said(sqfs_xattr_writer_add(attributes_.get(), name.c_str(), value.data(), value.size())));
    }
    std::uint32_t index = kNone;
    TRY(file_.said(sqfs_xattr_writer_end(attributes_.get(), &index)));
    return index;
  }

  Result<Inode> directory(const Ext4Node& node, std::uint32_t parent, std::uint32_t attributes, const Tables& tables) {
    TRY(file_.said(sqfs_dir_writer_begin(tables.directories, 0)));
    sqfs_u32 links = 2;
    for (const Ext4Name& entry : node.entries) {
      const auto mode = static_cast<sqfs_u16>(tree_.nodes[entry.node].mode);
      links += S_ISDIR(mode) ? 1 : 0;
      TRY(file_.said(sqfs_dir_writer_add_entry(tables.directories, entry.name.c_str(), numbers_[entry.node],
                                               places_[entry.node], mode)));
    }
    TRY(file_.said(sqfs_dir_writer_end(tables.directories)));
    // The root's parent is an inode that there is not.
    Inode made(sqfs_dir_writer_create_inode(tables.directories, 0, attributes, parent == 0 ? count_ + 1 : parent));
    if (!made) std::abort();
    // The library counts every entry as a link; as everywhere else, it is the directories alone that name their parent.
    (made->base.type == SQFS_INODE_EXT_DIR ? made->data.dir_ext.nlink : made->data.dir.nlink) = links;
    return made;
  }

  Result<Inode> other(std::uint32_t index) {
    const Ext4Node& node = tree_.nodes[index];
    if (S_ISREG(node.mode)) {
      Inode file = std::move(inodes_[index]);
      if (node.names == 1) return file;
      TRY(file_.said(sqfs_inode_make_extended(file.get())));
      file->data.file_ext.nlink = node.names;
      return file;
    }
    if (S_ISLNK(node.mode)) {
      Inode link = new_inode(SQFS_INODE_SLINK, node.text);
      link->data.slink = {node.names, static_cast<sqfs_u32>(node.text.size())};
      return link;
    }
    Inode special = new_inode(type_of(node.mode));
    special->data.dev = {node.names, S_ISCHR(node.mode) || S_ISBLK(node.mode) ? static_cast<sqfs_u32>(node.rdev) : 0};
    return special;
  }

  static constexpr std::uint64_t kUnwritten = ~std::uint64_t{0};

  const Ext4Tree& tree_;
  const DiskWriting& how_;
  OutputFile file_;
  sqfs_super_t super_{};
  Owned<sqfs_compressor_t> compressor_;
  Owned<sqfs_frag_table_t> fragments_;
  Owned<sqfs_id_table_t> ids_;
  Owned<sqfs_xattr_writer_t> attributes_;
  std::vector<Inode> inodes_;           // of files, filled while their content is written
  std::vector<std::uint32_t> numbers_;  // from 1 on; 0: none yet
  std::vector<std::uint64_t> places_;   // of written inodes
  std::uint32_t count_ = 0;
};

class SquashfsWriter : public DiskWriter {
 public:
  SquashfsWriter(Ext4Tree tree, DiskOutput& out, const DiskWriting& how)
      : tree_(std::move(tree)), out_(out), how_(how) {}
  bool takes_chunks() const override { return false; }
  Result<> finish() override { return FileSystem(tree_, out_, how_).write(); }

 private:
  Ext4Tree tree_;
  DiskOutput& out_;
  const DiskWriting& how_;
};

}  // namespace

Result<std::unique_ptr<DiskWriter>> start_squashfs(const Disk& disk, DiskOutput& out, const DiskWriting& how) {
  if (disk.layers.empty()) return error(Errc::usage, "there is no tree for squashfs");
  return std::make_unique<SquashfsWriter>(TRY(scan_plain_tree(disk.layers, {})), out, how);
}

}  // namespace kiln::image
