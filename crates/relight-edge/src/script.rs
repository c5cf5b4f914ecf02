//! Runs the script of a fixture against a driver and writes down what it saw.
