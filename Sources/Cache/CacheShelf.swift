/// The shelves of the cache: what is kept, and for how long.
///
/// A shelf is the folder `NAME-vFORMAT` of the cache, an entry a file or folder in it. Whoever changes what an entry
/// holds raises the format: the shelf of the old one is then left to be pruned.
public enum CacheShelf: String, CaseIterable, Sendable, Encodable {
  /// Kubespray's tarball as it was fetched: `KEY/file`, and `KEY/validator` for what a server may change.
  case downloads
  /// Kubespray trees: `kubespray-VERSION-KEY/` with the patched `tree/`, the tarball of it without patches, and the id
  /// of what is in that.
  case trees
  /// Virtual environments that evaluate kubespray: `KEY/`, and `KEY-full/` with all of Ansible's collections.
  case environments
  /// Catalogs as Ansible evaluated them: `KEY.json`.
  case catalogs
  /// Helm charts: `KEY/chart.tgz`, and `KEY/listing.json`, what its repository says of it.
  case charts
  /// Images that others are made of: `KEY/DIGEST`, a file a blob.
  case bases
  /// Images with Ansible that were assembled here: `KEY/image.tar.gz`.
  case images
  /// What package clients decided: `REPOSITORY-KEY.json`.
  case resolutions
  /// Indexes of package repositories: `REPOSITORY-KEY/files/`, with paths as in the repository, and `signer`, the
  /// fingerprint of the key that signed them.
  case indexes
  /// The folders in which apt and dnf work, each for one release: `CLIENT-RELEASE-ARCHITECTURE/`.
  case clients
  /// A pip of our own and the program that runs it: `KEY/`.
  case pip
  /// Programs as they travel in a bundle, with their libraries: `KEY/lib/`.
  case travelling
  /// What programs of this machine have answered: `TOPIC_PROGRAM.json`.
  case programs

  /// The number of the layout.
  var format: Int {
    switch self {
    case .environments, .indexes, .trees: 2
    default: 1
    }
  }

  /// The name of its folder.
  var folderName: String { "\(rawValue)-v\(format)" }

  /// How an entry comes to be.
  enum Making {
    /// Under a temporary name; an entry that has its name is complete.
    case renamed
    /// Under its own name, because it cannot be moved or because what an interrupted run left is gone on from; a mark
    /// says that it is complete.
    case inPlace
  }

  var making: Making {
    switch self {
    case .downloads, .environments, .charts, .bases: .inPlace
    default: .renamed
    }
  }

  /// How many entries are kept: those used last.
  var count: Int {
    switch self {
    case .images, .travelling: 2
    case .bases, .pip: 3
    case .trees, .environments: 8
    case .downloads: 16
    case .clients, .programs: 24
    case .indexes, .resolutions: 48
    case .catalogs, .charts: 200
    }
  }

  /// The folders of shelves that earlier versions had: blobs on their way lie in the archives themselves now.
  static let retired = ["blobs-v1"]

  /// After how many days without use an entry is removed.
  static let days: Int64 = 60

  /// What it holds, for people.
  public var summary: String {
    switch self {
    case .downloads: "kubespray's source as it was fetched"
    case .trees: "kubespray's source, unpacked and patched"
    case .environments: "Python environments that evaluate kubespray"
    case .catalogs: "what kubespray's variables were evaluated to"
    case .charts: "Helm charts"
    case .bases: "images that the image with Ansible is made of"
    case .images: "images with Ansible that were assembled here"
    case .resolutions: "what the package managers decided"
    case .indexes: "indexes of package repositories"
    case .clients: "package lists of apt and dnf"
    case .pip: "a pip of our own"
    case .travelling: "target-setup with its libraries"
    case .programs: "what programs of this machine say of themselves"
    }
  }
}
