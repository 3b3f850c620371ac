#include "sandbox/user.h"

#include "sandbox/test_tree.h"

namespace kiln::sandbox {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nbroken\nspark:x:185:50::/opt/spark:/bin/sh\nbad:x:no:1::/:\n";
constexpr std::string_view kGroup = "root:x:0:\nstaff:x:50:\ndocker:x:99:bob,spark\n";

Account account(std::string_view user) {
  return must(find_account(user, kPasswd, kGroup));
}

TEST(UserTest, EmptyIsRoot) {
  EXPECT_EQ(account(""), (Account{0, 0, {0}, "/root"}));
}

TEST(UserTest, EmptyIsRootWithoutAnyPasswd) {
  EXPECT_EQ(must(find_account("", "", "")), (Account{0, 0, {0}, "/root"}));
}

TEST(UserTest, NameAndNumberAreTheSameUser) {
  EXPECT_EQ(account("spark"), (Account{185, 50, {50, 99}, "/opt/spark"}));
  EXPECT_EQ(account("185"), account("spark"));
}

TEST(UserTest, NumberNeedsNoEntry) {
  EXPECT_EQ(account("1234"), (Account{1234, 0, {0}, "/"}));
}

TEST(UserTest, NamedGroupStandsAlone) {
  EXPECT_EQ(account("spark:staff"), (Account{185, 50, {50}, "/opt/spark"}));
  EXPECT_EQ(account("1234:5"), (Account{1234, 5, {5}, "/"}));
}

TEST(UserTest, UnknownNamesAreErrors) {
  EXPECT_EQ(find_account("nobody", kPasswd, kGroup).error().code(), Errc::not_found);
  EXPECT_EQ(find_account("root:nogroup", kPasswd, kGroup).error().code(), Errc::not_found);
  EXPECT_FALSE(find_account("bad", kPasswd, kGroup));
}

}  // namespace
}  // namespace kiln::sandbox
