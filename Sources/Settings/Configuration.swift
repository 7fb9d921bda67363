import Bundle
import SystemPackage

/// Every setting of the program with its value: what the user chose, or the default.
///
/// The initial values here are the defaults. ``settings`` describes each one (key, environment variable,
/// flag, what it accepts), and config/config.yml is made of that.
public struct Configuration: Sendable {
  /// Where the bundle is built (`outputs`).
  public var outputs: FilePath = "outputs"
  /// Where kubespray trees and what was learned from them are kept (`cache`).
  public var cache: FilePath = "cache"
  /// The file with the digests of a run (`lock`).
  public var lock: FilePath = "bundle.lock"
  /// Whether the bundle must be that of the lock (`locked`).
  public var locked = false
  /// The architecture of the target, `amd64` or `arm64`; nil (`auto`) means this machine's.
  public var architecture: String?
  /// The platforms of the target machines, `linux/amd64` or `linux/arm64`; empty means that of ``architecture`` alone.
  public var platforms: [String] = []
  /// Which kubespray, and what of it.
  public var kubespray = Kubespray()
  /// The Python that runs Ansible here.
  public var python = Python()
  /// The arrangement of outputs/files.
  public var files = Files()
  /// Versions of what the admin host itself runs.
  public var versions = Versions()
  /// The registry on the admin host.
  public var registry = Registry()
  /// The container images.
  public var images = Images()
  /// The operating-system packages.
  public var packages = Packages()
  /// The Python packages.
  public var pypi = PyPI()
  /// The signature of the bundle.
  public var signing = Signing()
  /// How long what a package repository answered is used before it is asked again.
  public var refreshAfter: Duration = .seconds(86_400)
  /// The web server on the admin host.
  public var nginx = Nginx()
  /// The admin host itself.
  public var target = Target()
  /// Who may ask its servers, and how a client knows them.
  public var access = Access()
  /// Base URLs to fetch from instead of a host, by host name in lower case; without a slash at the end.
  public var mirrors: [String: String] = [:]
  /// The proxies between this machine and the internet.
  public var proxy = Proxy()
  /// How downloads are made.
  public var transfer = Transfer()

  var origins: [String: ConfigurationOrigin] = [:]

  /// The defaults.
  public init() {}

  /// The TCP port of the web server. That of plain HTTP is the wrong one for TLS, so it stands for 443 there.
  public var webServerPort: Int { access.isTLS && nginx.port == 80 ? 443 : nginx.port }

  /// Where a setting's value came from.
  public func origin(of key: String) -> ConfigurationOrigin { origins[key] ?? .default }
}

extension Configuration {
  /// Which kubespray, and what of it.
  public struct Kubespray: Sendable {
    /// A release without `v` (`2.30.0`), `master`, a branch `release-X.Y` or a commit hash in lower case.
    public var version = "2.30.0"
    /// A folder, a tarball or a git URL to take instead of the public release.
    public var source: String?
    /// The inventory whose variables decide what is needed.
    public var inventory: FilePath?
    /// Variables that win over those of the inventory.
    public var extraVariables: [String: String] = [:]
    /// Further ones, in order, each a text as `ansible-playbook -e` takes it.
    public var extraArguments: [String] = []
    /// How much of the catalog is carried.
    public var selection = CatalogSelection.all
    /// Whether what only roles and charts name must be there, too.
    public var strict = false
  }

  /// The Python that runs Ansible here.
  public struct Python: Sendable {
    /// The interpreter; nil (`auto`) means a suitable one of this machine.
    public var executable: String?
    /// Whether the target runs Ansible in a container instead of a virtual environment.
    public var ansibleInContainer = false
    /// The image of that container: a reference, or ``assembled``; nil (`auto`) means the one that kubespray publishes
    /// for this version.
    public var ansibleImage: String?
    /// The image that an assembled one begins with; nil (`auto`) means one that fits the packages in the bundle.
    public var ansibleBase: String?

    /// The value of ``ansibleImage`` that stands for an image made here, of a base and the bundle's wheels.
    public static let assembled = "assembled"
  }

  /// The arrangement of outputs/files.
  public struct Files: Sendable {
    /// The folders below outputs/files; nil (`auto`) means ``Configuration/fileLayout``.
    public var layout: FileLayoutName?
  }

  /// Versions of what the admin host itself runs, without `v`; nil (`auto`) means kubespray's own choice.
  public struct Versions: Sendable {
    /// The version of runc.
    public var runc: String?
    /// The version of containerd.
    public var containerd: String?
    /// The version of nerdctl.
    public var nerdctl: String?
    /// The version of the CNI plugins.
    public var cni: String?
    /// The tag of the nginx image.
    public var nginx = "1.29.4"
    /// The tag of the registry image.
    public var registry = "3.0.0"
  }

  /// The registry on the admin host.
  public struct Registry: Sendable {
    /// The TCP port it listens on.
    public var port = 35_000
    /// The address it listens on; nil means all.
    public var bind: String?
    /// Its storage folder on the admin host, an absolute path.
    public var directory: FilePath = "/var/lib/registry"
    /// Whether the network may push to it and delete from it.
    public var writable = false
    /// The registry that images are pushed to when it is not the bundle's own, with an optional path.
    public var local: String?
    /// Hosts that are removed from image names like docker.io and quay.io.
    public var additional: [String] = []
    /// Registries of the network without internet that nodes ask themselves, `HOST[:PORT]`.
    public var own: [String] = []

    /// All hosts that image names lose when they are pushed: the usual ones and ``additional``.
    public var stripped: Set<String> { ImageReference.strippedRegistries.union(additional) }

    /// Where images are pushed to: `HOST[:PORT][/PATH]`.
    public var address: String { local ?? "localhost:\(port)" }
  }

  /// The web server on the admin host.
  public struct Nginx: Sendable {
    /// The TCP port it listens on.
    public var port = 80
    /// The address it listens on; nil means all.
    public var bind: String?
  }

  /// The admin host itself.
  public struct Target: Sendable {
    /// The address by which the other nodes reach it; nil (`auto`) means that of the default route.
    public var address: String?
    /// The folder of target-setup's own state and of the copy that is served.
    public var directory: FilePath = "/var/lib/kubespray-offline"
    /// Whether what is served is copied there first.
    public var copy = TargetCopy.auto
    /// The folder into which kubespray is extracted, as `kubespray-VERSION`.
    public var kubesprayDirectory: FilePath = "/opt"
    /// The folder of the operator's inventory.
    public var inventoryDirectory: FilePath = "/opt/kubespray-inventory"
    /// What to do on a machine that is a node of a cluster already.
    public var existingNode = ExistingNode.refuse
  }

  /// Who may ask the servers of the admin host, and how a client knows them.
  public struct Access: Sendable {
    /// Whether the web server and the registry speak TLS, and nothing else; nil (`auto`) means as before on that host.
    public var tls: Bool?
    /// Whether they want a login; nil (`auto`) means as before on that host.
    public var login: Bool?
    /// Further addresses and names that their certificate is for.
    public var names: [String] = []
    /// A certificate of one's own instead of one that is made there, with its chain (PEM).
    public var certificate: FilePath?
    /// The private key of ``certificate`` (PEM).
    public var key: FilePath?
    /// The authority by which clients believe ``certificate`` (PEM).
    public var authority: FilePath?

    /// Whether TLS is wanted; a host that was not set up before has none.
    public var isTLS: Bool { tls ?? false }
    /// Whether a login is wanted.
    public var wantsLogin: Bool { login ?? false }
  }

  /// The container images.
  public struct Images: Sendable {
    /// Whether to leave out the images.
    public var skip = false
    /// A list of images to take instead of kubespray's and those of imagelists/.
    public var from: FilePath?
    /// Whether the images of a running cluster are carried too.
    public var fromCluster = false
    /// How kubectl finds that cluster: a file, or several separated by colons; nil means its own choice.
    public var kubeconfig: String?
    /// The platforms to carry of each image, as `OS/ARCHITECTURE[/VARIANT]`; empty means those of the target machines.
    public var platforms: [String] = []
    /// Registries, `HOST[:PORT]`, that are asked without TLS.
    public var plainHTTP: [String] = []
    /// Whether signatures, attestations and lists of parts that a registry has about an image are carried with it.
    public var signatures = true
  }

  /// The operating-system packages.
  public struct Packages: Sendable {
    /// Whether to leave out the operating-system packages.
    public var skip = false
    /// Whether programs that this machine lacks may be installed on it.
    public var install = true
    /// The releases to carry packages for: `host`, or `ID-VERSION` such as `debian-12`.
    public var targets = ["host"]
    /// The release that `host` means; nil (`auto`) means what this machine runs.
    public var host: String?
    /// The folder with the lists of packages.
    public var lists: FilePath = "pkglist"
    /// The package sources of targets other than this machine, by target.
    public var sources: [String: String] = [:]
    /// The key that signs the repositories: the file of an exported secret key, or a key of this user's GnuPG.
    public var signingKey: String?
  }

  /// The signature of the bundle.
  public struct Signing: Sendable {
    /// An OpenSSH private key, or the public half of one that OpenSSH's tools find; nil means not signed.
    public var key: FilePath?
    /// After how many days the statement ends; 0 means never.
    public var expiresAfter = 0
  }

  /// The Python packages.
  public struct PyPI: Sendable {
    /// Whether to leave out the Python packages.
    public var skip = false
    /// The Pythons to carry wheels for, such as `3.12`; empty means those of the targets and 3.11, 3.12 and 3.13.
    public var pythons: [String] = []
    /// Whether source distributions are carried beside the wheels.
    public var sourceDistributions = true
    /// Requirements beside those of kubespray, as pip writes them.
    public var extra = [
      "PyYAML", "ruamel.yaml", "pip", "setuptools", "wheel", "selinux", "flit_core", "cython<3",
    ]
    /// More requirement files.
    public var requirements: [String] = []
  }

  /// The proxies between this machine and the internet; a value may hold a password.
  public struct Proxy: Sendable {
    /// For http URLs.
    public var http: String?
    /// For https URLs.
    public var https: String?
    /// Hosts to reach without a proxy, separated by commas.
    public var no: String?
  }

  /// How downloads are made.
  public struct Transfer: Sendable {
    /// Connections at a time, to all hosts together.
    public var parallel = 16
    /// Connections at a time to one host.
    public var perHost = 8
    /// How often a failed transfer is tried again.
    public var retries = 5
    /// How long to wait for a connection.
    public var connectTimeout: Duration = .seconds(15)
    /// How long a transfer may stand without a byte.
    public var stallTimeout: Duration = .seconds(30)
    /// The fewest bytes per second, over a minute, of a transfer that is not given up; 0 takes any.
    public var minimumRate: Int64 = 1024
    /// The most bytes per second of all transfers together; 0 means no limit.
    public var limitRate: Int64 = 0
    /// Whether the network is never asked.
    public var offline = false
  }
}
