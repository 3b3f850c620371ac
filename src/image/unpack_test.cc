#include <zlib.h>

#include <random>

#include "image/tar_reader.h"
#include "image/test_support.h"

namespace kiln::image {
namespace {

struct stat lstat_of(const fs::path& path) {
  struct stat st {};
  EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
  return st;
}

bool is_whiteout(const fs::path& path) {
  const struct stat st = lstat_of(path);
  return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

bool is_opaque(const fs::path& path) {
  char value = 0;
  return ::lgetxattr(path.c_str(), "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

std::string gzipped(std::string_view text, int level = 6) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

class UnpackTest : public ImageTest {
 protected:
  /// Unpacks into a new tree that must work.
  fs::path unpacked(std::string_view stream) {
    fs::path tree = fresh("tree" + std::to_string(++count_));
    auto done = unpack(stream, tree);
    EXPECT_TRUE(done) << (done ? "" : done.error().text());
    return tree;
  }
  /// The message of an unpacking that must be refused as corrupt.
  std::string refused(std::string_view stream, const Limits& limits = {}) {
    const fs::path tree = fresh("tree" + std::to_string(++count_));
    auto done = unpack(stream, tree, limits);
    if (done) return "accepted";
    EXPECT_EQ(done.error().code(), Errc::corrupt) << done.error().text();
    return done.error().text();
  }
  int count_ = 0;
};

TEST_F(UnpackTest, SymlinksInsideTheArchiveAreFollowedInsideTheTreeOnly) {
  const fs::path outside = fresh("outside");
  const fs::path tree = unpacked(TarMaker()
                                     .dir("usr")
                                     .dir("usr/lib")
                                     .symlink("lib", "usr/lib")
                                     .file("lib/a", "1")
                                     .symlink("abs", "/usr/lib")
                                     .file("abs/b", "2")
                                     .end());
  EXPECT_TRUE(fs::exists(tree / "usr/lib/a") && fs::exists(tree / "usr/lib/b"));
  EXPECT_TRUE(fs::is_symlink(tree / "lib"));
  refused(TarMaker().symlink("out", outside).file("out/x", "x").end());
  refused(TarMaker().symlink("up", "../outside").file("up/x", "x").end());
  EXPECT_TRUE(fs::is_empty(outside));
}

TEST_F(UnpackTest, FileOverSymlinkReplacesTheLink) {
  const fs::path target = put("target", "untouched");
  const fs::path tree = unpacked(TarMaker().symlink("a", target).file("a", "mine").symlink("d", "/").dir("d").end());
  EXPECT_EQ(*read_file(target), "untouched");
  EXPECT_EQ(*read_file(tree / "a"), "mine");
  EXPECT_FALSE(fs::is_symlink(tree / "d"));
}

TEST_F(UnpackTest, WhiteoutsHideLowerLayersOnlyInAnyOrder) {
  const auto check = [](const fs::path& tree) {
    EXPECT_TRUE(is_whiteout(tree / "gone"));
    EXPECT_TRUE(fs::is_regular_file(tree / "d/own"));
    EXPECT_TRUE(is_opaque(tree / "d"));
    EXPECT_TRUE(is_opaque(tree / "both"));
    EXPECT_TRUE(fs::is_regular_file(tree / "file"));
  };
  check(unpacked(TarMaker()
                     .file(".wh.gone")
                     .dir("d")
                     .file("d/own", "x")
                     .file("d/.wh..wh..opq")
                     .file(".wh.both")
                     .dir("both")
                     .file(".wh.file")
                     .file("file")
                     .end()));
  check(unpacked(TarMaker()
                     .file("d/.wh..wh..opq")
                     .file("d/own", "x")
                     .dir("d")
                     .file("both/x")
                     .file(".wh.both")
                     .file("file")
                     .file(".wh.file")
                     .file(".wh.gone")
                     .end()));
}

TEST_F(UnpackTest, WhiteoutReplacedByAnImpliedDirectoryIsOpaque) {
  const fs::path tree = unpacked(TarMaker().file(".wh.d").file("d/x", "x").end());
  EXPECT_TRUE(is_opaque(tree / "d"));
}

TEST_F(UnpackTest, OwnersModesAndTimesComeAsWritten) {
  TarMember member{.path = "f", .mode = 06755, .uid = 185, .gid = 7, .mtime = 1234};
  const fs::path tree = unpacked(TarMaker()
                                     .add({.path = "d", .type = TarType::directory, .mode = 0500, .mtime = 99})
                                     .file("d/x")
                                     .add(member)
                                     .end());
  const struct stat st = lstat_of(tree / "f");
  EXPECT_EQ(st.st_mode & 07777U, 06755U);
  EXPECT_EQ(st.st_uid, 185U);
  EXPECT_EQ(st.st_mtim.tv_sec, 1234);
  EXPECT_EQ(lstat_of(tree / "d").st_mtim.tv_sec, 99);
  EXPECT_EQ(lstat_of(tree / "d").st_mode & 07777U, 0500U);
}

TEST_F(UnpackTest, ForbiddenAttributesAreDropped) {
  TarMember member{.path = "f"};
  member.xattrs = {{"user.ok", "1"}, {"trusted.overlay.opaque", "y"}, {"security.selinux", "x"}};
  const fs::path tree = unpacked(TarMaker().add(member).end());
  char value = 0;
  EXPECT_EQ(::lgetxattr((tree / "f").c_str(), "user.ok", &value, 1), 1);
  EXPECT_EQ(::lgetxattr((tree / "f").c_str(), "trusted.overlay.opaque", &value, 1), -1);
}

TEST_F(UnpackTest, HardLinksShareTheInode) {
  const fs::path tree = unpacked(TarMaker().file("a", "x").hard_link("b", "./a").hard_link("a", "b").end());
  EXPECT_EQ(lstat_of(tree / "a").st_ino, lstat_of(tree / "b").st_ino);
}

TEST_F(UnpackTest, LaterEntryWins) {
  const fs::path tree = unpacked(TarMaker().file("a", "1").file("a", "2").dir("d").file("d/x").file("d", "f").end());
  EXPECT_EQ(*read_file(tree / "a"), "2");
  EXPECT_EQ(*read_file(tree / "d"), "f");
}

struct Hostile {
  const char* what;
  std::string tar;
  const char* message;
};

std::vector<Hostile> hostile_archives() {
  const auto one = [](const TarMember& member) { return TarMaker().add(member).end(); };
  const std::string file = TarMaker().file("f", "content").end();
  const auto field = [&file](auto change) { return patched(file, change); };
  std::string deep, parts;
  for (int i = 0; i < 257; ++i) deep += "d/";
  for (int i = 0; i < 20; ++i) parts.append(250, 'p') += "/";
  TarMaker again;
  for (int i = 0; i < 1002; ++i) again.file("a");
  const auto pax = [](std::string record, char type = 'x') {
    if (record.find(' ') == std::string::npos) record = fmt::format("{} {}\n", record.size() + 4, record);
    std::string tar = TarMaker().file("pax", record).end();
    return patched(tar.substr(0, 1024), [type](UstarHeader& h) { h.type = type; }) + TarMaker().file("f").end();
  };
  return {
      {"parent name", one({.path = "../x"}), "'..'"},
      {"parent name inside", one({.path = "a/../../x"}), "'..'"},
      {"absolute parent name", one({.path = "/../x"}), "'..'"},
      {"no name", one({.path = "/"}), "no name"},
      {"NUL in a pax path", pax(std::string("path=a\0bcdef", 12)), "NUL"},
      {"too deep", one({.path = deep + "x"}), "deeper than 256"},
      {"part too long", one({.path = std::string(256, 'n')}), "longer than 255"},
      {"path too long", one({.path = parts + "x"}), "longer than 4096"},
      {"file below a file", TarMaker().file("a").file("a/b").end(), "not a directory"},
      {"file below a dangling link", TarMaker().symlink("a", "nowhere").file("a/b").end(), "not a directory"},
      {"link to outside", TarMaker().hard_link("a", "../../etc/passwd").end(), "'..'"},
      {"link to a lower layer", TarMaker().hard_link("a", "etc/passwd").end(), "which this archive has not"},
      {"link to an absolute path", TarMaker().hard_link("a", "/etc/passwd").end(), "which this archive has not"},
      {"link through a symlink", TarMaker().symlink("s", "/etc").hard_link("a", "s/passwd").end(), "has not"},
      {"forward link", TarMaker().hard_link("a", "b").file("b").end(), "which this archive has not"},
      {"link to a directory", TarMaker().dir("d").hard_link("a", "d").end(), "not a file"},
      {"link to a whiteout", TarMaker().file(".wh.w").hard_link("a", "w").end(), "not a file"},
      {"link into what it replaces", TarMaker().file("d/f").hard_link("d", "d/f").end(), "which it replaces"},
      {"empty symlink", one({.path = "s", .type = TarType::symlink}), "link target empty"},
      {"device 0:0", one({.path = "c", .type = TarType::char_device}), "0:0"},
      {"whiteout directory", TarMaker().dir(".wh.a").end(), "not a file"},
      {"whiteout of nothing", TarMaker().file(".wh.").end(), "whiteout of ''"},
      {"whiteout of the parent", TarMaker().file(".wh...").end(), "whiteout of '..'"},
      {"below a whiteout", TarMaker().file(".wh.a/b").end(), "below a whiteout"},
      {"cut off in data", file.substr(0, 515), "cut off"},
      {"cut off in a header", file.substr(0, 300), "cut off"},
      {"no end mark", file.substr(0, 1024), "no end-of-archive mark"},
      {"wrong checksum", "x" + file.substr(1), "checksum is wrong"},
      {"negative size", field([](UstarHeader& h) { std::fill_n(h.size, 12, '\xff'); }), "size out of range"},
      {"huge size",
       field([](UstarHeader& h) { std::copy_n("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, h.size); }),
       "size out of range"},
      {"size over the limit", field([](UstarHeader& h) { std::copy_n("\x80\0\0\0\0\0\x0f\0\0\0\0\0", 12, h.size); }),
       "over the limit"},
      {"size not octal", field([](UstarHeader& h) { h.size[3] = '9'; }), "octal"},
      {"unknown type", field([](UstarHeader& h) { h.type = 'Z'; }), "type 'Z'"},
      {"uid -1", field([](UstarHeader& h) { std::fill_n(h.uid, 8, '\xff'); }), "uid out of range"},
      {"global path", pax("path=abcdef", 'g'), "global header sets path"},
      {"pax length beyond", pax("99 path=abcdef\n"), "wrong length"},
      {"pax without length", pax("length path=abcdef\n"), "is not a number"},
      {"sparse without a map", pax("GNU.sparse.major=1"), "sparse file without a size"},
      {"many replaced", again.end(), "replace an earlier one"},
      {"gzip of gzip", gzipped(gzipped(file, 0)), "checksum"},
      {"gzip cut off", gzipped(file).substr(0, 40), "cut off"},
      {"gzip with a tail", gzipped(file) + "tail", "gzip"},
      {"gzip with a wrong sum", gzipped(file).replace(gzipped(file).size() - 6, 2, "zz"), "gzip"},
      {"bzip2", "BZh91AY&SY" + file, "bzip2"},
      {"nothing", "", "cut off"},
  };
}

TEST_F(UnpackTest, HostileArchivesAreRefusedByName) {
  for (const Hostile& hostile : hostile_archives()) {
    EXPECT_THAT(refused(hostile.tar), testing::HasSubstr(hostile.message)) << hostile.what;
  }
}

TEST_F(UnpackTest, MessagesNameTheEntryWithoutControlCharacters) {
  const std::string message = refused(TarMaker().file("a\x1b[2J").file("a\x1b[2J/b").end());
  EXPECT_THAT(message, testing::HasSubstr("entry 'a\\x1b[2J/b'"));
}

TEST_F(UnpackTest, LimitsHoldAtTheByte) {
  const std::string tar = TarMaker().file("f", std::string(1000, 'x')).end();
  Limits limits;
  limits.layer_bytes = tar.size();
  EXPECT_EQ(refused(tar, limits), "accepted");
  limits.layer_bytes = tar.size() - 1;
  EXPECT_THAT(refused(tar, limits), testing::HasSubstr("unpacks to more than"));
  limits = {};
  limits.entries = 0;
  EXPECT_THAT(refused(tar, limits), testing::HasSubstr("more than 0 entries"));
}

TEST_F(UnpackTest, BombIsRecognisedByItsRatio) {
  const std::string zeros(std::size_t{70} << 20, '\0');
  const std::string bomb = gzipped(TarMaker().file("zeros", zeros).end(), 9);
  EXPECT_THAT(refused(bomb), testing::HasSubstr("decompression bomb"));
}

TEST_F(UnpackTest, EveryCompressionGivesTheSameTree) {
  const std::string tar = TarMaker().file("f", std::string(300'000, 'y')).end();
  const fs::path plain = put("layer.tar", tar);
  for (const std::string tool : {"gzip", "zstd", "xz"}) {
    run({"sh", "-c", fmt::format("{0} -c layer.tar > layer.{0}", tool)});
    const std::string packed = *read_file(dir.path() / ("layer." + tool));
    const fs::path tree = fresh("from-" + tool);
    auto done = unpack(packed, tree);
    ASSERT_TRUE(done) << tool << done.error().text();
    EXPECT_EQ(done->facts.diff_id, sha256(tar));
    EXPECT_EQ(done->blob, sha256(packed));
    EXPECT_EQ(done->blob_bytes, packed.size());
  }
}

TEST_F(UnpackTest, GzipMembersJoin) {
  const std::string tar = TarMaker().file("f", "content").end();
  const fs::path tree = unpacked(gzipped(tar.substr(0, 700)) + gzipped(tar.substr(700)));
  EXPECT_EQ(*read_file(tree / "f"), "content");
}

TEST_F(UnpackTest, WhatFollowsTheEndMarkIsHashedButMeansNothing) {
  const std::string tar = TarMaker().file("f").end() + std::string(9000, '\0') + TarMaker().file("g").end();
  const fs::path tree = fresh("tree");
  auto done = unpack(tar, tree);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->facts.diff_id, sha256(tar));
  EXPECT_FALSE(fs::exists(tree / "g"));
}

TEST_F(UnpackTest, RootFileSystemHasNoWhiteouts) {
  for (const char* name : {".wh.a", ".wh..wh..opq"}) {
    const std::string tar = TarMaker().file(name).end();
    StringSource in(tar);
    auto done = unpack_rootfs(in, fresh(std::string("tree") + name), {}, cancel);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text(), testing::HasSubstr("a whiteout"));
  }
}

TEST_F(UnpackTest, GnuTarsOfEveryFormatComeBackEqual) {
  const fs::path source = fresh("source");
  put("source/" + std::string(120, 'n') + "/" + std::string(120, 'm'), "long");
  put("source/sparse", "");
  fs::resize_file(source / "sparse", 5'000'000);
  const Fd fd(::open((source / "sparse").c_str(), O_WRONLY));
  for (const off_t at : {0, 1'000'000, 2'500'000, 3'000'000, 3'500'000, 4'999'990}) ::pwrite(fd.get(), "island", 6, at);
  fs::create_symlink(std::string(200, 't'), source / "link");
  set_mtimes(source, 5000);
  const Digest wanted = measure_layer(source)->diff_id;
  for (const std::string format :
       {"--format=gnu", "--format=pax", "--format=gnu -S", "--format=pax -S --sparse-version=0.0",
        "--format=pax -S --sparse-version=0.1", "--format=pax -S --sparse-version=1.0"}) {
    EXPECT_EQ(run({"sh", "-c", "tar " + format + " -C source -cf t.tar ."}), "");
    const fs::path tree = unpacked(*read_file(dir.path() / "t.tar", 1 << 24));
    EXPECT_EQ(measure_layer(tree)->diff_id, wanted) << format;
    const bool is_sparse = lstat_of(tree / "sparse").st_blocks * 512 < 400'000;
    EXPECT_EQ(is_sparse, format.find("-S") != std::string::npos);
  }
}

TEST_F(UnpackTest, UmaskDoesNotMatter) {
  const std::string tar = TarMaker().file("a/b/c", "x").end();
  const Digest usual = measure_layer(unpacked(tar))->diff_id;
  const mode_t before = ::umask(0077);
  const Digest strict = measure_layer(unpacked(tar))->diff_id;
  ::umask(before);
  EXPECT_EQ(strict, usual);
}

/// A few bytes changed, most headers with a right checksum again, so that the change gets past the first check.
std::string mutated(std::string tar, std::mt19937& random) {
  for (auto changes = random() % 4 + 1; changes > 0; --changes) {
    const std::size_t at = random() % (tar.size() - 1024);
    tar[at] = static_cast<char>(random());
    if (random() % 4 != 0)
      tar = patched(
          std::move(tar), [](UstarHeader&) {}, at / kTarBlock * kTarBlock);
  }
  return tar;
}

std::string fuzz_seed(const std::string& link_target = "/tmp") {
  return TarMaker()
      .dir("d")
      .file("d/" + std::string(120, 'n'), "long name")
      .symlink("s", link_target)
      .hard_link("h", "d/" + std::string(120, 'n'))
      .file("d/.wh.x")
      .file("s2/y", "y")
      .end();
}

/// Reads, or says why, within limits; and never touches anything outside.
TEST_F(UnpackTest, MutatedArchivesNeverEscapeOrHang) {
  const fs::path outside = fresh("outside");
  std::mt19937 random(20231114);
  int accepted = 0;
  for (int round = 0; round < 200; ++round) {
    const std::string bad = mutated(fuzz_seed(outside), random);
    const fs::path tree = fresh("mutant");
    accepted += unpack(bad, tree).ok() ? 1 : 0;
    ASSERT_TRUE(remove_tree(tree));
  }
  EXPECT_GT(accepted, 0);
  EXPECT_TRUE(fs::is_empty(outside));
}

TEST_F(UnpackTest, MutatedArchivesAreReadToAnEnd) {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {  // fuzz/tar_fuzz.cc does more
    const std::string bad = mutated(fuzz_seed(), random);
    StringSource in(bad);
    TarReader reader(in);
    std::size_t members = 0;
    for (auto member = reader.next(); member && *member; member = reader.next()) {
      ASSERT_LT(++members, bad.size() / kTarBlock);
      EXPECT_EQ(*clean_tar_path((*member)->path), (*member)->path);
    }
  }
}

TEST_F(UnpackTest, CancelledUnpackingStops) {
  cancel.cancel();
  auto done = unpack(TarMaker().file("f").end(), fresh("tree"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::interrupted);
}

}  // namespace
}  // namespace kiln::image
