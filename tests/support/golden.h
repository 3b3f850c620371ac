// Golden files: a test's readable result is compared with a file in its room's testdata/. KILN_ACCEPT=1 writes the
// files instead and marks the test skipped, so that a run that accepts can never be taken for one that passed.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace kiln {

/// The room whose source file this is: src/ROOM/...
inline std::string room_of(std::string_view file) {
  file.remove_prefix(file.rfind("src/") + 4);
  return std::string(file.substr(0, file.find('/')));
}

/// Compares text with testdata/NAME of the caller's room (NAME may have folders), or writes it there under
/// KILN_ACCEPT=1. A failure is reported with the caller's line.
inline void expect_golden(const std::string& name, const std::string& text, const char* file = __builtin_FILE(),
                          int line = __builtin_LINE()) {
  const std::filesystem::path path = std::filesystem::path(KILN_SOURCE_DIR) / "src" / room_of(file) / "testdata" / name;
  const char* accept = std::getenv("KILN_ACCEPT");
  if (accept != nullptr && std::string(accept) == "1") {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    GTEST_SKIP() << "wrote " << path;
  }
  const testing::ScopedTrace trace(file, line, path.string() + " (KILN_ACCEPT=1 rewrites it)");
  std::ifstream in(path, std::ios::binary);
  ASSERT_TRUE(in.is_open()) << "no such golden file; the text was:\n" << text;
  const std::string golden{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_EQ(golden, text);
}

}  // namespace kiln
