// DownloadAll
