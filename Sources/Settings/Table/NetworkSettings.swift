extension SettingSection {
  static let network = Self(
    title: "Network of this machine",
    settings: [
      .table(
        "mirrors", \.mirrors, keys: .host, values: .baseURL, flag: nil, scope: .download,
        "Other places to fetch from, by host, such as a company's Nexus or Artifactory.",
        """
          mirrors:
            github.com: https://nexus.example.com/repository/github
        The bundle still names everything by its original host.
        """),
      .scalar(
        "proxy.http", \.proxy.http, .optional(.proxy), environment: ["http_proxy", "HTTP_PROXY"], flag: nil,
        scope: .download, "The proxy for http URLs, such as http://proxy.example.com:3128.",
        "A password in a proxy is never printed: \"download-all config\" shows user:***."),
      .scalar(
        "proxy.https", \.proxy.https, .optional(.proxy), environment: ["https_proxy", "HTTPS_PROXY"],
        flag: nil,
        scope: .download, "The proxy for https URLs."),
      .scalar(
        "proxy.no", \.proxy.no, .optional(.line("host names separated by commas")),
        environment: ["no_proxy", "NO_PROXY"], flag: nil, scope: .download,
        "Hosts to reach without a proxy, separated by commas."),
      .scalar(
        "transfer.parallel", \.transfer.parallel, .integer(1...64), environment: ["PARALLEL"],
        flag: .value("--parallel", "n"), "Connections at a time, to all hosts together: 1 to 64."),
      .scalar(
        "transfer.per_host", \.transfer.perHost, .integer(1...32), environment: ["PARALLEL_PER_HOST"],
        flag: .value("--parallel-per-host", "n"), "Connections at a time to one host: 1 to 32."),
      .scalar(
        "transfer.retries", \.transfer.retries, .integer(0...20), environment: ["RETRIES"],
        flag: .value("--retries", "n"), "How often a failed transfer is tried again: 0 to 20."),
      .scalar(
        "transfer.connect_timeout", \.transfer.connectTimeout, .seconds(1...600), flag: nil,
        "How long to wait for a connection: 1s to 600s."),
      .scalar(
        "transfer.stall_timeout", \.transfer.stallTimeout, .seconds(1...3600), flag: nil,
        "How long a transfer may stand without a byte: 1s to 3600s."),
      .scalar(
        "transfer.minimum_rate", \.transfer.minimumRate, .rate, flag: nil,
        "The fewest bytes per second, over a minute, with which a transfer is not given up and tried again.",
        "Write it as 500 or 10K; 0 takes any. Under limit_rate a transfer's share may be less."),
      .scalar(
        "transfer.limit_rate", \.transfer.limitRate, .rate, environment: ["LIMIT_RATE"],
        flag: .value("--limit-rate", "rate"),
        "The most bytes per second of all transfers together, such as 500K or 10M; 0 means no limit.",
        "The units are powers of 1024, as in curl."),
      .scalar(
        "transfer.offline", \.transfer.offline, .bool, environment: ["OFFLINE"], flag: .on("--offline"),
        scope: .download,
        "Never ask the network: use what is here, and name what is missing.",
        """
        A bundle is finished or made again of the cache. What package repositories answered counts, however old it is. \
        Nothing is left out that an earlier run could do without: it counts as missing.
        """),
    ])
}
