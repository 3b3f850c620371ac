#include "image/disk/relay.h"

#include <thread>

#include "image/disk/test_disk.h"

namespace kiln::image {
namespace {

/// Fills batches with numbered bytes and zeros between them, so many of each size.
std::function<Result<>(Relay&)> numbers(std::size_t batches, std::size_t bytes, std::uint64_t zeros) {
  return [=](Relay& relay) -> Result<> {
    for (std::size_t i = 0; i < batches; ++i) {
      Relay::Batch* batch = relay.empty();
      if (batch == nullptr) return error(Errc::interrupted, "nobody writes");
      std::fill_n(batch->buffer.begin(), bytes, static_cast<std::byte>(i + 1));
      batch->used = bytes;
      batch->zeros = zeros;
      relay.give();
    }
    return {};
  };
}

TEST(RelayTest, WhatIsReadIsWrittenInOrder) {
  ScarceOutput out;
  must(pour_ahead(out, numbers(100, 1000, 24)));
  ASSERT_EQ(out.text.size(), 100U * 1024);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(out.text.substr(i * 1024, 1000), std::string(1000, static_cast<char>(i + 1)));
    EXPECT_EQ(out.text.substr(i * 1024 + 1000, 24), std::string(24, '\0'));
  }
}

TEST(RelayTest, WritesOnTheCallersThreadAndReadsOnAnother) {
  std::thread::id reader;
  class Where : public Sink {
   public:
    using Sink::write;
    Result<> write(std::span<const std::byte> /*bytes*/) override {
      writer = std::this_thread::get_id();
      return {};
    }
    std::thread::id writer;
  } out;
  must(pour_ahead(out, [&](Relay& relay) {
    reader = std::this_thread::get_id();
    return numbers(1, 1, 0)(relay);
  }));
  EXPECT_EQ(out.writer, std::this_thread::get_id());
  EXPECT_NE(reader, out.writer);
}

TEST(RelayTest, AnErrorOfWritingEndsTheReaderToo) {
  ScarceOutput out(10'000);
  bool ended_early = false;
  const auto read = [&](Relay& relay) {
    Result<> done = numbers(1'000'000, 1000, 0)(relay);
    ended_early = !done;
    return done;
  };
  EXPECT_EQ(pour_ahead(out, read).error().code(), Errc::no_space);
  EXPECT_TRUE(ended_early);
}

TEST(RelayTest, AnErrorOfReadingComesAfterWhatWasReadBefore) {
  ScarceOutput out;
  const auto read = [](Relay& relay) -> Result<> {
    TRY(numbers(3, 10, 0)(relay));
    return error(Errc::corrupt, "it changed");
  };
  EXPECT_EQ(pour_ahead(out, read).error().code(), Errc::corrupt);
  EXPECT_EQ(out.text.size(), 30U);
}

TEST(RelayTest, NothingToReadIsNothingWritten) {
  ScarceOutput out;
  must(pour_ahead(out, [](Relay&) { return Result<>(); }));
  EXPECT_EQ(out.text, "");
}

}  // namespace
}  // namespace kiln::image
