"""Labels of images: from folders, columns of tables and files of labels."""
