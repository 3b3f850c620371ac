#include "store/digests.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/fixture.h"

namespace kiln::store {
namespace {

/// Files with known times; ctime cannot be set, so a file counts as settled when its real ctime is 2 s old, which tests
/// do not wait for: they use files of the system, which are older.
class DigestsTest : public StoreTest {
 protected:
  std::string shards() const {
    std::string all;
    for (const auto& file : fs::directory_iterator(root / "digests")) all += *read_file(file.path());
    return all;
  }
  const fs::path settled = "/etc/passwd";
};

TEST_F(DigestsTest, RecentFileIsHashedButNotRemembered) {
  auto store = open();
  ASSERT_TRUE(write_file(dir.path() / "f", "one"));
  EXPECT_EQ(*store.file_digest(dir.path() / "f"), sha256("one"));
  ASSERT_TRUE(write_file(dir.path() / "f", "two"));
  EXPECT_EQ(*store.file_digest(dir.path() / "f"), sha256("two"));
  ASSERT_TRUE(store.flush());
  EXPECT_EQ(shards(), "");
}

TEST_F(DigestsTest, SettledFileIsRememberedAcrossOpenings) {
  {
    auto store = open();
    ASSERT_EQ(*store.file_digest(settled), *sha256_file(settled));
    ASSERT_TRUE(store.flush());
  }
  // A false memory shows that the file is not read again.
  for (const auto& file : fs::directory_iterator(root / "digests")) {
    std::string text = *read_file(file.path());
    text.replace(text.size() - 32, 32, std::string(32, '\xab'));
    Sha256 sum;
    sum.update(std::string_view(text).substr(40));
    const std::string hex = sum.finish().hex();
    for (std::size_t i = 0; i < 32; ++i) text[8 + i] = static_cast<char>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
    ASSERT_TRUE(write_file(file.path(), text));
  }
  std::string false_hex;
  for (int i = 0; i < 32; ++i) false_hex += "ab";
  EXPECT_EQ(open().file_digest(settled)->hex(), false_hex);
}

TEST_F(DigestsTest, DamagedMemoryIsForgotten) {
  {
    auto store = open();
    ASSERT_TRUE(store.file_digest(settled) && store.flush());
  }
  for (const auto& file : fs::directory_iterator(root / "digests")) {
    std::string text = *read_file(file.path());
    text.replace(text.size() - 32, 32, std::string(32, '\xab'));
    ASSERT_TRUE(write_file(file.path(), text));
  }
  EXPECT_EQ(*open().file_digest(settled), *sha256_file(settled));
}

TEST_F(DigestsTest, ProcessesAddToEachOthersMemory) {
  auto one = open();
  auto two = open();
  ASSERT_TRUE(one.file_digest("/etc/passwd") && two.file_digest("/etc/group"));
  ASSERT_TRUE(one.flush() && two.flush());
  const std::size_t files = count("digests");
  EXPECT_EQ(shards().size(), files * 40 + 2 * 72);
}

TEST_F(DigestsTest, MissingFileAndDirectoryAreErrors) {
  auto store = open();
  EXPECT_EQ(store.file_digest(dir.path() / "none").error().code(), Errc::not_found);
  EXPECT_FALSE(store.file_digest(dir.path()));
}

}  // namespace
}  // namespace kiln::store
