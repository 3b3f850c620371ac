#include "cloud/aws.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace kiln::cloud {
namespace {

const AwsCredentials kExample = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

// Amazon's published suite for signers, case get-vanilla.
TEST(AwsTest, SignsAsAmazonsExampleSays) {
  HttpRequest request;
  request.url = "https://example.amazonaws.com/";
  const auto headers = aws_signature(request, "", {kExample, "us-east-1"}, "service", 1440938160);
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[0].value, "20150830T123600Z");
  EXPECT_TRUE(headers[1].secret);
  EXPECT_EQ(headers[1].value,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(AwsTest, CredentialsComeFromTheNearestPlace) {
  const TempDir dir = TempDir::create("/tmp", "kiln-aws").take();
  const fs::path file = dir.path() / "credentials";
  ASSERT_TRUE(write_file_quick(file,
                               "[default]\naws_access_key_id = D\naws_secret_access_key=S\n\n[other]\n"
                               "aws_access_key_id=O\naws_secret_access_key = T\naws_session_token = K\n"));
  std::map<std::string, std::string> environment = {{"AWS_REGION", "r"}, {"AWS_SHARED_CREDENTIALS_FILE", file}};
  EXPECT_EQ((*find_aws_access({}, environment)).credentials.access_key, "D");
  EXPECT_EQ((*find_aws_access({.profile = "other"}, environment)).credentials.token, "K");
  environment["AWS_ACCESS_KEY_ID"] = "E";
  environment["AWS_SECRET_ACCESS_KEY"] = "S";
  EXPECT_EQ((*find_aws_access({}, environment)).credentials.access_key, "E");
  EXPECT_EQ((*find_aws_access({.credentials = {"G", "S", ""}}, environment)).credentials.access_key, "G");
  EXPECT_EQ(find_aws_access({.profile = "none"}, environment).error().code(), Errc::denied);
  environment.erase("AWS_REGION");
  EXPECT_EQ(find_aws_access({}, environment).error().code(), Errc::usage);
}

TEST(ReadImagesTest, NewestFirstWithTheirTags) {
  const auto images = read_images(
      "<?xml version=\"1.0\"?><DescribeImagesResponse xmlns=\"x\"><requestId>r</requestId><imagesSet>"
      "<item><imageId>ami-1</imageId><creationDate>2020-01-01</creationDate></item><!-- no -->"
      "<item><imageId>ami-2</imageId><name>1 &lt; 2 &#38;amp;</name><creationDate>2021-01-01</creationDate>"
      "<imageOwnerId>9</imageOwnerId><tagSet><item><key>a</key><value>b</value></item></tagSet></item>"
      "</imagesSet></DescribeImagesResponse>");
  ASSERT_TRUE(images);
  ASSERT_EQ((*images).size(), 2U);
  const Ec2Image& first = (*images)[0];
  EXPECT_EQ(first.id, "ami-2");
  EXPECT_EQ(first.name, "1 < 2 &amp;");
  EXPECT_EQ(first.owner, "9");
  EXPECT_EQ(first.tags, (std::map<std::string, std::string>{{"a", "b"}}));
  EXPECT_EQ((*images)[1].id, "ami-1");
}

TEST(ReadImagesTest, RefusesWhatIsNoSuchAnswer) {
  for (const char* text : {"", "text", "<a>", "<a></b>", "<a", "< >", "<a></a>"})
    EXPECT_EQ(read_images(text).error().code(), Errc::corrupt) << text;
}

}  // namespace
}  // namespace kiln::cloud
