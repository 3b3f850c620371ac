#include "image/deflate_chunk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace kiln::image {
namespace {

// Whose matches with its first bytes are found or not by one place of the table, another one in each chunk.
std::vector<std::byte> chunk_with_its_beginning_inside(std::mt19937& random) {
  std::vector<std::byte> chunk(600, std::byte{'a'});
  std::generate_n(chunk.begin(), 16, [&random] { return static_cast<std::byte>(random()); });
  std::copy_n(chunk.begin(), 8, chunk.begin() + 300);
  return chunk;
}

TEST(ChunkDeflater, EveryStreamGivesTheSameBytes) {
  std::deque<ChunkDeflater> deflaters(50);
  std::mt19937 random(7);
  std::vector<std::byte> first, out;
  int others = 0;
  for (int i = 0; i < 400; ++i) {
    const std::vector<std::byte> chunk = chunk_with_its_beginning_inside(random);
    deflaters.front().deflate(chunk, first);
    for (ChunkDeflater& deflater : deflaters) {
      deflater.deflate(chunk, out);
      others += out != first ? 1 : 0;
    }
  }
  EXPECT_EQ(others, 0);
}

TEST(ChunkDeflater, WhatCameBeforeIsForgotten) {
  std::mt19937 random(8);
  const std::vector<std::byte> chunk = chunk_with_its_beginning_inside(random);
  std::vector<std::byte> large(1 << 20);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = chunk[random() % (i % 600 + 1)];
  ChunkDeflater used, fresh;
  std::vector<std::byte> out, expected;
  used.deflate(large, out);
  EXPECT_LT(out.size(), large.size());
  used.deflate(chunk, out);
  fresh.deflate(chunk, expected);
  EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace kiln::image
