#include <zlib.h>
#include <zstd.h>

#include "image/test_support.h"

namespace kiln::image {
namespace {

std::string gunzipped(std::string_view packed) {
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  out.resize(stream.total_out);
  ::inflateEnd(&stream);
  return out;
}

class UnpackKeptTest : public ImageTest {
 protected:
  struct Kept {
    UnpackedLayer facts;
    std::string blob;
  };
  Kept keep(std::string_view stream) {
    const fs::path tree = fresh("tree" + std::to_string(++count_));
    StringSource in(stream);
    StringSink blob;
    auto done = unpack_layer_kept(in, tree, blob, 2, {}, cancel);
    EXPECT_TRUE(done) << (done ? "" : done.error().text());
    EXPECT_TRUE(fs::exists(tree / "a/file"));
    return {done ? *done : UnpackedLayer{}, blob.text};
  }
  std::string tar_ = TarMaker().dir("a").file("a/file", std::string(100'000, 'x')).end();
  int count_ = 0;
};

TEST_F(UnpackKeptTest, PlainAndZstdLayersAreKeptAsGzipOfTheSameTar) {
  std::string zstd(ZSTD_compressBound(tar_.size()), '\0');
  zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), tar_.data(), tar_.size(), 3));
  for (const std::string& stream : {tar_, zstd}) {
    const Kept kept = keep(stream);
    EXPECT_EQ(gunzipped(kept.blob), tar_);
    EXPECT_EQ(kept.facts.facts.diff_id, sha256(tar_));
    EXPECT_EQ(kept.facts.blob, sha256(kept.blob));
    EXPECT_EQ(kept.facts.blob_bytes, kept.blob.size());
  }
}

TEST_F(UnpackKeptTest, GzipLayersAreKeptByteForByte) {
  const std::string as_it_came = keep(tar_).blob;
  const Kept again = keep(as_it_came);
  EXPECT_EQ(again.blob, as_it_came);
  EXPECT_EQ(again.facts.blob, sha256(as_it_came));
}

TEST_F(UnpackKeptTest, DamageIsFoundWhateverTheForm) {
  StringSink blob;
  StringSource cut(std::string_view(tar_).substr(0, 700));
  EXPECT_EQ(unpack_layer_kept(cut, fresh("cut"), blob, 2, {}, cancel).error().code(), Errc::corrupt);
  StringSource empty("");
  EXPECT_FALSE(unpack_layer_kept(empty, fresh("empty"), blob, 2, {}, cancel));
}

}  // namespace
}  // namespace kiln::image
