// The list that a tree may hold of the files that a machine reads first, for the disk that is made of it.
#pragma once

#include "image/disk/ext4.h"

namespace kiln::image {

/// Where the list is in a tree: an absolute path a line, in the order of reading; empty lines and those that begin with
/// "#" say nothing, and neither do paths that the tree has not.
inline constexpr std::string_view kFirstReadList("usr/lib/kiln/first-read");

/// The paths of a tree's list without their "/", as Ext4Spec has them; none without a list. Errors: Errc::usage for a
/// list that is no regular file of at most 1 MiB or has a path that is not absolute (names its line); reading.
Result<std::vector<std::string>> first_read_in(const Ext4Tree& tree);

}  // namespace kiln::image
