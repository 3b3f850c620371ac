#include "cli/outside.h"

#include "cloud/cloud.h"

namespace kiln::cli {

namespace {

constexpr std::uint64_t kMaxReply = std::uint64_t{16} << 20;  // as one string of a template
constexpr Duration kDeadline{120'000};

/// "content-type" as Go writes it: "Content-Type".
std::string go_header(std::string name) {
  bool first = true;
  for (char& c : name) {
    if (first) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    first = c == '-';
  }
  return name;
}

/// Those that say who asks stay with the server that they are for.
bool is_secret(const std::string& name) {
  return name == "authorization" || name == "cookie" || name == "proxy-authorization";
}

cloud::HttpRequest request_of(const tmpl::HttpQuestion& question) {
  cloud::HttpRequest request;
  request.method = question.method;
  request.url = question.url;
  request.max_body = kMaxReply;
  request.deadline = kDeadline;
  request.retry = question.method == "GET" || question.method == "HEAD";
  for (const auto& [name, value] : question.headers) {
    std::string lower = name;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    request.headers.push_back({name, value, question.secret_headers || is_secret(lower)});
  }
  if (!question.body.empty()) request.body = cloud::text_body(question.body);
  return request;
}

/// A URL that a template names may be without TLS, as its author wants it.
Result<tmpl::HttpReply> ask(cloud::HttpConfig config, const tmpl::HttpQuestion& question, const Cancel& cancel) {
  const cloud::Url url = TRY(cloud::Url::parse(question.url));
  if (url.scheme == "http") config.insecure_hosts.push_back(url.host);
  const auto plain = TRY(cloud::make_http_client(std::move(config)));
  cloud::RetryingClient client(*plain, {.attempts = 4});
  const cloud::HttpRequest request = request_of(question);
  cloud::HttpResponse response = TRY(client.send(request, cancel));
  if (response.head.status != 200) return cloud::status_error(request, response);
  tmpl::HttpReply reply{.url = question.url, .body = std::move(response.body), .headers = {}};
  for (const cloud::Header& header : response.head.headers) {
    std::string& value = reply.headers[go_header(header.name)];
    value += (value.empty() ? "" : ", ") + header.value;
  }
  return reply;
}

Result<tmpl::ImageReply> find_image(cloud::HttpConfig config, const std::map<std::string, std::string>& environment,
                                    const tmpl::ImageQuestion& question, const Cancel& cancel) {
  const cloud::AwsWishes wishes{.credentials = {question.access_key, question.secret_key, question.token},
                                .region = question.region,
                                .profile = question.profile,
                                .shared_credentials_file = question.shared_credentials_file};
  const cloud::AwsAccess access = TRY(cloud::find_aws_access(wishes, environment));
  const auto plain = TRY(cloud::make_http_client(std::move(config)));
  cloud::RetryingClient client(*plain, {.attempts = 4});
  const cloud::Ec2ImageQuery query{question.filters, question.owners, question.include_deprecated};
  const auto images = TRY(cloud::describe_images(client, access, question.endpoint, query, cancel));
  if (images.empty()) return error(Errc::not_found, "no image in {} fits the filters and owners", access.region);
  if (images.size() > 1 && !question.most_recent)
    return error(Errc::usage, "{} images in {} fit; name a narrower filter, or set most_recent to true", images.size(),
                 access.region);
  const cloud::Ec2Image& image = images.front();
  return tmpl::ImageReply{image.id, image.name, image.creation_date, image.owner, image.owner_alias, image.tags};
}

}  // namespace

std::shared_ptr<const tmpl::Outside> make_outside(const Environment& environment, const Cancel& cancel) {
  auto outside = std::make_shared<tmpl::Outside>();
  const cloud::HttpConfig config = cloud::http_config_from(environment.variables);
  outside->http = [config, &cancel](const tmpl::HttpQuestion& question) { return ask(config, question, cancel); };
  outside->amazon_ami = [config, variables = environment.variables, &cancel](const tmpl::ImageQuestion& question) {
    return find_image(config, variables, question, cancel);
  };
  return outside;
}

}  // namespace kiln::cli
