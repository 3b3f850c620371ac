// Fixtures of the tests that read strangers' disks: files in pieces, and files with something wrong in them.
#pragma once

#include "image/disk/block_reader.h"
#include "image/disk/test_disk.h"

namespace kiln::image {

/// All of a disk, in pieces that begin and end anywhere; "error: ..." when it cannot be read.
inline std::string read_all(BlockReader& disk, std::size_t piece = 70'001) {
  std::string text(disk.bytes(), '\0');
  const auto bytes = std::as_writable_bytes(std::span(text));
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const auto done = disk.read(at, bytes.subspan(at, std::min(piece, text.size() - at)));
    if (!done) return "error: " + done.error().text();
  }
  return text;
}

class ReaderTest : public DiskTest {
 protected:
  /// A file's disk, or what is said against it.
  std::string content(const fs::path& file) {
    auto disk = open_disk_file(file);
    if (!disk) return "error: " + disk.error().text();
    return read_all(**disk);
  }
  /// Text, noise and zeros by turns, at places that are no whole clusters.
  static std::string mixed(std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; text.size() < bytes; ++i) {
      text += i % 3 == 0 ? noise(50'000, i) : std::string(90'000, i % 3 == 1 ? static_cast<char>(i) : '\0');
    }
    text.resize(bytes);
    return text;
  }
  static std::string changed(std::string text, std::size_t at, std::string_view bytes) {
    return text.replace(at, bytes.size(), bytes);
  }
};

}  // namespace kiln::image
