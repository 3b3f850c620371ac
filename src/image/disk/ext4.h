// ext4 file systems, made in user space from the layers of a tree: scanned into memory, laid out, poured front to back.
// What is written, and what is ours to decide in it: docs/formats/ext4.md. Does not read ext4.
#pragma once

#include <memory>

#include "image/disk/block_image.h"
#include "image/disk/uuid.h"
#include "tree/tree.h"

namespace kiln::image {

inline constexpr std::uint64_t kExt4BlockBytes = 4096;

/// A directory's entry; `node` is an index into Ext4Tree::nodes.
struct Ext4Name {
  std::string name;
  std::uint32_t node = 0;
};

/// What becomes one inode. Times and owners are those of the layer; a later name of the same inode (same layer, same
/// inode number) is only one more entry in some directory.
struct Ext4Node {
  std::string path;               // of its first name, without leading "/"; "" is the root
  std::string text;               // of a symbolic link
  std::vector<Ext4Name> entries;  // of a directory, sorted bytewise
  std::uint64_t bytes = 0;        // of a regular file
  std::uint64_t rdev = 0;         // of a device: dev_t
  std::int64_t mtime = 0;         // seconds since 1970
  std::uint32_t mtime_ns = 0;
  std::uint32_t mode = 0;  // type and permissions: st_mode
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t names = 1;       // how many directory entries name it; of a directory 1
  std::uint32_t layer = 0;       // where a file's content is
  std::uint32_t attributes = 0;  // index into Ext4Tree::attributes
};

/// A merged tree in memory, all but the content of its files: some hundred bytes a file. Holds a descriptor a layer.
struct Ext4Tree {
  std::vector<Fd> layers;
  std::vector<Ext4Node> nodes;  // [0] is the root; in the order of the walk: a directory stands before what it holds
  std::vector<tree::Attributes> attributes = {{}};      // different ones, canonical; [0] is empty
  std::map<std::uint32_t, std::vector<Extent>> stored;  // by node, of files with holes: what is no hole, whole blocks
  std::size_t inodes() const { return nodes.size(); }   // that the tree needs; the file system has 11 more
  std::uint64_t content_bytes() const;                  // of all files, in whole blocks, without holes
};

/// Reads the merged view of layers, oldest first, in overlay form. left_out: paths of directories whose content is not
/// part of the file system ("boot/efi"); they stay, empty. Regular files' content is read only to find holes: a file of
/// 64 KiB and more, of whose 16 evenly spread blocks one is all zero, gets holes where 8 or more whole blocks are zero,
/// whatever the layer's own file system holds. Layers must not change as long as the tree or an image of it lives.
Result<Ext4Tree> scan_tree(const std::vector<fs::path>& layers, const std::vector<std::string>& left_out);

struct Ext4Spec {
  std::uint64_t bytes = 0;  // of the file system, from 8 MiB to 16 TiB; what is over a whole block stays unused
  Uuid uuid;                // seeds every checksum
  Uuid hash_seed;           // of directories' indexes
  std::string label;        // at most 16 bytes
  std::int64_t clock = 0;   // seconds since 1970: when it was made, and the times of "/" and lost+found
  std::string earlier;      // block map of an earlier image, whose files stay where they were; empty: none
  std::vector<std::string>
      first_read;  // paths of files that stand before all others, in this order, where they are new
};

/// A file system that is decided and not yet written, with its block map for the next one.
struct Ext4Image {
  BlockImage image;
  std::string block_map;
};

/// Decides where everything goes; reads nothing. The image's bytes are a function of the tree and the spec, and laid
/// out with its own block map as the earlier one it comes out the same. A block map that cannot be read, or with which
/// the tree does not fit, is left aside. Errors: Errc::no_space when the tree does not fit (says how many bytes it
/// needs); Errc::usage for a spec or a tree that no ext4 can hold (names over 255 bytes, over 65,000 links, files over
/// 16 TiB, too many attributes: names the path). Pouring: Errc::corrupt for a file that changed since the scan (names
/// it).
Result<Ext4Image> lay_out_ext4(const std::shared_ptr<const Ext4Tree>& tree, const Ext4Spec& spec);

/// How many bytes a file system needs at least to hold a tree (a whole number of MiB, nothing to spare).
Result<std::uint64_t> ext4_bytes_needed(const Ext4Tree& tree);

}  // namespace kiln::image
