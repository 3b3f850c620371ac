// Signature Version 4, and EC2's DescribeImages.
#include <algorithm>
#include <ctime>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/aws.h"
#include "cloud/url.h"
#include "cloud/xml.h"

namespace kiln::cloud {

namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";
constexpr const char* kForm = "application/x-www-form-urlencoded; charset=utf-8";
constexpr std::uint64_t kMaxAnswer = std::uint64_t{64} << 20;  // all images of an owner are about 20 MB

/// "20150830T123600Z"
std::string basic_time(std::int64_t seconds) {
  const std::time_t when = seconds;
  std::tm utc{};
  ::gmtime_r(&when, &utc);
  char buffer[32];
  return {buffer, std::strftime(buffer, sizeof buffer, "%Y%m%dT%H%M%SZ", &utc)};
}

/// The host as the client sends it: the port only where it is not the scheme's own.
std::string host_header(const Url& url) {
  const bool usual = url.port == (url.scheme == "https" ? 443 : 80);
  return usual ? url.host : fmt::format("{}:{}", url.host, url.port);
}

std::string signing_key(const AwsAccess& access, const std::string& day, std::string_view service) {
  std::string key = hmac_sha256("AWS4" + access.credentials.secret_key, day);
  for (const std::string_view part : {std::string_view(access.region), service, std::string_view("aws4_request")})
    key = hmac_sha256(key, part);
  return key;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Numbered parameters of a list: PREFIX.1, PREFIX.2 ...
std::string form_of(const Ec2ImageQuery& query) {
  std::string form = "Action=DescribeImages&Version=2016-11-15";
  std::size_t n = 0;
  for (const auto& [name, value] : query.filters) {
    ++n;
    form += fmt::format("&Filter.{0}.Name={1}&Filter.{0}.Value.1={2}", n, url_escape(name), url_escape(value));
  }
  n = 0;
  for (const std::string& owner : query.owners) form += fmt::format("&Owner.{}={}", ++n, url_escape(owner));
  return form + (query.include_deprecated ? "&IncludeDeprecated=true" : "");
}

Ec2Image image_in(const XmlElement& item) {
  Ec2Image image{item.text_of("imageId"),         item.text_of("name"),
                 item.text_of("creationDate"),    item.text_of("imageOwnerId"),
                 item.text_of("imageOwnerAlias"), {}};
  const XmlElement* tags = item.find("tagSet");
  if (tags == nullptr) return image;
  for (const XmlElement& tag : tags->inside) image.tags[tag.text_of("key")] = tag.text_of("value");
  return image;
}

Result<std::vector<Ec2Image>> images_in(std::string_view answer) {
  const XmlElement root = TRY(parse_xml(answer));
  const XmlElement* set = root.find("imagesSet");
  if (set == nullptr) return error(Errc::corrupt, "an answer about images has no imagesSet");
  std::vector<Ec2Image> images;
  for (const XmlElement& item : set->inside) images.push_back(image_in(item));
  std::stable_sort(images.begin(), images.end(),
                   [](const Ec2Image& a, const Ec2Image& b) { return a.creation_date > b.creation_date; });
  return images;
}

}  // namespace

std::vector<Header> aws_signature(const HttpRequest& request, std::string_view body, const AwsAccess& access,
                                  std::string_view service, std::int64_t seconds) {
  const auto url = Url::parse(request.url);
  if (!url) return {};
  const std::string time = basic_time(seconds);
  const std::string day = time.substr(0, 8);
  std::map<std::string, std::string> sent = {{"host", host_header(*url)}, {"x-amz-date", time}};
  for (const Header& header : request.headers) sent[lower(header.name)] = header.value;
  if (!access.credentials.token.empty()) sent["x-amz-security-token"] = access.credentials.token;
  std::string lines;
  std::vector<std::string> names;
  for (const auto& [name, value] : sent) {
    lines += fmt::format("{}:{}\n", name, trim(value));
    names.push_back(name);
  }
  const std::string signed_names = join(names, ";");
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, (*url).path, (*url).query, lines,
                                            signed_names, sha256(body).hex());
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, access.region, service);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope, sha256(canonical).hex());
  const std::string signature = to_hex(hmac_sha256(signing_key(access, day, service), to_sign));
  std::vector<Header> out = {{"X-Amz-Date", time, false}};
  if (!access.credentials.token.empty()) out.push_back({"X-Amz-Security-Token", access.credentials.token, true});
  out.push_back({"Authorization",
                 fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                             access.credentials.access_key, scope, signed_names, signature),
                 true});
  return out;
}

Result<std::vector<Ec2Image>> describe_images(HttpClient& client, const AwsAccess& access, const std::string& endpoint,
                                              const Ec2ImageQuery& query, const Cancel& cancel) {
  const std::string suffix = access.region.starts_with("cn-") ? ".cn" : "";
  const std::string form = form_of(query);
  HttpRequest request;
  request.method = "POST";
  request.url = endpoint.empty() ? fmt::format("https://ec2.{}.amazonaws.com{}/", access.region, suffix) : endpoint;
  request.headers = {{"Content-Type", kForm}};
  request.body = text_body(form);
  request.max_body = kMaxAnswer;
  request.redirects = 0;
  for (Header& header : aws_signature(request, form, access, "ec2", unix_now())) request.headers.push_back(header);
  const HttpResponse response = TRY(client.send(request, cancel).context("asking EC2 for images"));
  if (!response.head.is_success()) return status_error(request, response);
  return images_in(response.body);
}

}  // namespace kiln::cloud
